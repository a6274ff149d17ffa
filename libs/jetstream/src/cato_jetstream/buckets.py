"""A key-value bucket with compare-and-set and a time to live for each key.

The bucket is used through its stream, as the client's own `update` cannot carry a time to live.
"""

from dataclasses import dataclass

from nats.js import JetStreamContext
from nats.js.errors import KeyDeletedError, KeyNotFoundError, NoKeysError
from nats.js.kv import KV_DEL, KV_OP, KV_PURGE

from cato_jetstream.publish import ConditionalPublisher, Written
from cato_jetstream.translation import translated

_MARK_TTL_S = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """The value of a key, None if it was deleted, and the revision to write on top of (0: never written)."""

    value: bytes | None
    revision: int


class Bucket:
    """Every method raises Unavailable without an answer in time; a write may have happened then."""

    def __init__(self, js: JetStreamContext, name: str, *, timeout_s: float = 2.0) -> None:
        self._js = js
        self._name = name
        self._stream = f"KV_{name}"
        self._prefix = f"$KV.{name}."
        self._timeout_s = timeout_s
        self._publisher = ConditionalPublisher(js, self._stream, timeout_s=timeout_s)

    async def read(self, key: str) -> Entry:
        """Return the entry from the stream's leader."""
        message = await self._publisher.head(self._prefix + key)
        if message is None:
            return Entry(None, 0)
        deleted = (message.headers or {}).get(KV_OP) in {KV_DEL, KV_PURGE}
        return Entry(None if deleted else message.data or b"", message.seq or 0)

    async def values(self) -> list[bytes]:
        """Return the values of all keys; what is removed meanwhile may be missing."""
        with translated():
            bucket = await self._js.key_value(self._name)
            try:
                keys = await bucket.keys()
            except NoKeysError:
                return []
            values = []
            for key in keys:
                try:
                    values.append((await bucket.get(key)).value or b"")
                except (KeyNotFoundError, KeyDeletedError):
                    continue
        return values

    async def write(self, key: str, value: bytes, *, after: int, ttl_s: int | None = None) -> Written:
        """Write on top of revision `after`.

        Raises:
            Conflict: the key has another revision.

        """
        return await self._publisher.publish(self._prefix + key, value, expected=after, ttl_s=ttl_s)

    async def put(self, key: str, value: bytes, *, ttl_s: int | None = None) -> int:
        """Write on top of any revision and return the new one."""
        with translated():
            ack = await self._js.publish(
                self._prefix + key, value, stream=self._stream, timeout=self._timeout_s, msg_ttl=ttl_s
            )
        return ack.seq

    async def remove(self, key: str) -> None:
        """Mark the key as deleted on top of any revision; the mark stays."""
        with translated():
            await self._js.publish(
                self._prefix + key,
                headers={KV_OP: KV_DEL},
                stream=self._stream,
                timeout=self._timeout_s,
            )

    async def delete(self, key: str, *, after: int, ttl_s: int | None = _MARK_TTL_S) -> None:
        """Mark the key as deleted on top of revision `after`; the mark itself expires.

        Raises:
            Conflict: the key has another revision.

        """
        await self._publisher.publish(
            self._prefix + key, b"", expected=after, headers={KV_OP: KV_DEL}, ttl_s=ttl_s
        )
