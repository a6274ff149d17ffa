"""The next free starts in a bucket, reserved by compare-and-set over all replicas."""

import asyncio
from collections import defaultdict
from collections.abc import Callable

from cato_contracts.errors import BrokerError
from cato_dialer.dial.domain.capacity.start_times import Start
from cato_jetstream import Bucket, Conflict

_TRIES = 20


class NextStarts:
    """Keeps `start.<name>` in a bucket: the next free start (Unix ms) of a station or of a rule."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._known: dict[str, tuple[int | None, int]] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def reserve(self, name: str, choose: Callable[[int | None], Start]) -> Start:
        """Reserve the start that `choose` returns for the next free one, None if none was reserved so far.

        It is asked again if another replica was faster. If it raises an error, nothing is reserved.

        Raises:
            BrokerError: if no start can be reserved in time.

        """
        key = f"start.{name}"
        # One reservation at a time in this replica, so that it competes only with other replicas.
        async with self._locks[name]:
            if name not in self._known:
                self._known[name] = await self._read(key)
            for _ in range(_TRIES):
                next_free, revision = self._known[name]
                start = choose(next_free)
                try:
                    written = await self._bucket.write(key, str(start.next_free).encode(), after=revision)
                except Conflict:
                    self._known[name] = await self._read(key)
                else:
                    self._known[name] = (start.next_free, written.sequence)
                    return start
        raise BrokerError(f"no start can be reserved as {key}: other replicas are always faster")

    async def _read(self, key: str) -> tuple[int | None, int]:
        entry = await self._bucket.read(key)
        return (int(entry.value) if entry.value else None), entry.revision
