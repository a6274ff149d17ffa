"""Keys with a time to live in the bucket `leases`, written by compare-and-set."""

from dataclasses import dataclass

from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import Header
from nats.js.errors import APIError, NotFoundError
from nats.js.kv import KV_DEL, KV_OP, KV_PURGE

from cato_contracts.errors import BrokerError
from cato_contracts.subjects import LEASES

_WRONG_LAST_SEQUENCE = frozenset({10071, 10164})
_STREAM = f"KV_{LEASES.name}"
_TOMBSTONE_TTL_S = 1


@dataclass(frozen=True, slots=True)
class Lease:
    """What a key holds; an empty value at a revision other than 0 is a key that was deleted."""

    value: bytes
    revision: int


class LeaseBucket:
    """The bucket, spoken to by its stream: nats-py's own renewal cannot carry a time to live."""

    def __init__(self, js: JetStreamContext) -> None:
        self._js = js

    async def read(self, key: str) -> Lease:
        """Return what is there, by the stream's leader; revision 0 if nothing is.

        Raises:
            BrokerError: if there is no answer.

        """
        try:
            message = await self._js.get_msg(_STREAM, subject=_subject(key))
        except NotFoundError:
            return Lease(b"", 0)
        except (NatsError, TimeoutError, OSError) as error:
            raise BrokerError(f"the lease {key} cannot be read: {error!r}") from error
        deleted = (message.headers or {}).get(KV_OP) in (KV_DEL, KV_PURGE)
        return Lease(b"" if deleted else message.data or b"", message.seq or 0)

    async def write(self, key: str, value: bytes, after: int, ttl_s: int | None = None) -> int | None:
        """Write on top of revision `after` and return the new one; None if there is another.

        Raises:
            BrokerError: if there is no answer; it may have been written.

        """
        return await self._publish(key, value, {}, after, ttl_s)

    async def delete(self, key: str, after: int) -> None:
        """Delete what has revision `after`; its mark is gone a second later."""
        await self._publish(key, b"", {KV_OP: KV_DEL}, after, _TOMBSTONE_TTL_S)

    async def _publish(
        self, key: str, value: bytes, headers: dict[str, str], after: int, ttl_s: int | None
    ) -> int | None:
        headers = {**headers, Header.EXPECTED_LAST_SUBJECT_SEQUENCE: str(after)}
        try:
            ack = await self._js.publish(_subject(key), value, headers=headers, msg_ttl=ttl_s)
        except APIError as error:
            if error.err_code in _WRONG_LAST_SEQUENCE:
                return None
            raise BrokerError(f"the lease {key} cannot be written: {error!r}") from error
        except (NatsError, TimeoutError, OSError) as error:
            raise BrokerError(f"the lease {key} cannot be written: {error!r}") from error
        return ack.seq


def _subject(key: str) -> str:
    return f"$KV.{LEASES.name}.{key}"
