"""Leases: keys with a time to live. Each key has one holder, which renews it."""

import asyncio
import math

from cato_jetstream.buckets import Bucket
from cato_jetstream.errors import Conflict


class Lease:
    """The lease of one holder on one key; `holder` is a unique value.

    The lease is held until `valid_until` on the loop's clock. Time is counted from before a request is sent,
    and `margin_s` is taken off: the server counts the time to live from later, so the key exists for at least
    as long as the holder believes that it holds it.

    With `keep_s` the key lives longer than `ttl_s` after the write: if the holder is silent, no other holder
    gets the key for that time. The holder itself goes by `ttl_s`.
    """

    def __init__(self, bucket: Bucket, key: str, holder: bytes, *, ttl_s: int, margin_s: float) -> None:
        self._bucket = bucket
        self._key = key
        self._holder = holder
        self._ttl_s = ttl_s
        self._margin_s = margin_s
        self._revision = 0
        self.valid_until = 0.0

    @property
    def key(self) -> str:
        return self._key

    def held(self) -> bool:
        return asyncio.get_running_loop().time() < self.valid_until

    async def take(self, *, keep_s: float = 0.0) -> bool:
        """Take the lease if it is free, or renew it; False, and no longer held, if another holder has it.

        Raises:
            Unavailable: the broker does not answer in time; the lease is held as long as it was.

        """
        return await self._write(also_free=True, keep_s=keep_s)

    async def renew(self) -> bool:
        """Renew the lease; False, and no longer held, if it has expired or another holder has it.

        Raises:
            Unavailable: as for `take`.

        """
        return await self._write(also_free=False, keep_s=0.0)

    async def _write(self, *, also_free: bool, keep_s: float) -> bool:
        loop = asyncio.get_running_loop()
        ttl_s = max(self._ttl_s, math.ceil(keep_s))
        while True:
            asked_at = loop.time()
            try:
                written = await self._bucket.write(self._key, self._holder, after=self._revision, ttl_s=ttl_s)
            except Conflict:
                entry = await self._bucket.read(self._key)
                ours = entry.value == self._holder  # a renewal was stored and its acknowledgement lost
                if not ours and not (also_free and entry.value is None):
                    self.valid_until = 0.0
                    return False
                self._revision = entry.revision
                continue
            self._revision = written.sequence
            if written.earlier:
                continue  # the time to live began with the earlier attempt
            self.valid_until = asked_at + self._ttl_s - self._margin_s
            return True

    async def recall(self) -> bool:
        """Find out whether the holder has the key from a former life of its process; `release` ends that.

        Raises:
            Unavailable: the broker does not answer in time.

        """
        entry = await self._bucket.read(self._key)
        if entry.value != self._holder:
            return False
        self._revision = entry.revision
        return True

    async def release(self) -> None:
        """Release the lease, so that others can take it at once. Raises Unavailable: it then expires."""
        self.valid_until = 0.0
        if self._revision:
            revision, self._revision = self._revision, 0
            try:
                await self._bucket.delete(self._key, after=revision)
            except Conflict:
                return  # it had expired, or another holder has it by now
