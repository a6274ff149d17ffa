"""The answer ledger in a key-value bucket of JetStream."""

from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import Header
from nats.js.errors import APIError, NotFoundError

from cato_contracts.errors import BrokerError
from cato_contracts.subjects import IDEMPOTENCY
from cato_gateway.ports import LedgerEntry

_KEPT_S = 24 * 60 * 60
_WRONG_SEQUENCE = frozenset({10071, 10164})
_ATTEMPTS = 5


class NatsAnswerLedger:
    """Each key is a message that expires by itself; the first to write it has reserved it.

    Plain publishing instead of the client's key-value class, whose `update` cannot set an expiry.
    """

    def __init__(self, js: JetStreamContext) -> None:
        self._js = js

    async def reserve(self, key: str, entry: LedgerEntry) -> LedgerEntry:
        try:
            for _ in range(_ATTEMPTS):
                standing, sequence = await self._read(key)
                if standing is not None and not standing.free:
                    return standing
                if await self._write(key, entry, sequence):
                    return entry
        except (NatsError, TimeoutError) as error:
            raise BrokerError(f"the answer ledger cannot be reached: {error!r}") from error
        raise BrokerError("the answer ledger is contended")

    async def settle(self, key: str, entry: LedgerEntry) -> None:
        try:
            await self._js.publish(_subject(key), _encode(entry), msg_ttl=_KEPT_S)
        except (NatsError, TimeoutError) as error:
            raise BrokerError(f"the answer ledger cannot be reached: {error!r}") from error

    async def _read(self, key: str) -> tuple[LedgerEntry | None, int]:
        try:
            message = await self._js.get_last_msg(f"KV_{IDEMPOTENCY.name}", _subject(key), direct=True)
        except NotFoundError:
            return None, 0
        return LedgerEntry.model_validate_json(message.data or b""), message.seq or 0

    async def _write(self, key: str, entry: LedgerEntry, sequence: int) -> bool:
        try:
            await self._js.publish(
                _subject(key),
                _encode(entry),
                headers={Header.EXPECTED_LAST_SUBJECT_SEQUENCE: str(sequence)},
                msg_ttl=_KEPT_S,
            )
        except APIError as error:
            if error.err_code in _WRONG_SEQUENCE:
                return False
            raise
        return True


def _subject(key: str) -> str:
    return f"$KV.{IDEMPOTENCY.name}.{key}"


def _encode(entry: LedgerEntry) -> bytes:
    return entry.model_dump_json().encode()
