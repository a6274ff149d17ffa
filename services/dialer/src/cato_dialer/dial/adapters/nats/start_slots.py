"""The next free start of each station, reserved by compare-and-set over all replicas."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from cato_contracts.errors import BrokerError
from cato_dialer.dial.domain.capacity.start_times import next_start
from cato_dialer.dial.domain.station import Station
from cato_dialer.dial.ports.dial import StartSlot
from cato_jetstream import Bucket, Conflict
from cato_runtime.clock import Clock

_TRIES = 20


class NatsStartSlots:
    """Keys `start.<station>` in the bucket; a station without a minimum interval needs none."""

    def __init__(self, bucket: Bucket, stations: Sequence[Station], clock: Clock) -> None:
        self._bucket = bucket
        self._stations = {station.id: station for station in stations}
        self._clock = clock
        self._known: dict[UUID, tuple[int | None, int]] = {}
        self._locks = {station.id: asyncio.Lock() for station in stations}

    async def reserve(self, station_id: UUID, not_before: datetime | None = None) -> StartSlot:
        """Reserve the station's next start, from `not_before` on.

        Raises:
            BrokerError: if no slot can be reserved in time.

        """
        station = self._stations[station_id]
        if station.min_call_interval_ms == 0:
            return StartSlot(self._earliest(not_before), None, delayed=False)
        key = f"start.{station_id}"
        # One reservation at a time in this replica, so that it competes only with other replicas.
        async with self._locks[station_id]:
            next_free, revision = self._known.get(station_id) or await self._read(key)
            for _ in range(_TRIES):
                earliest = self._earliest(not_before)
                start = next_start(station.channels, station.min_call_interval_ms, earliest, next_free)
                try:
                    written = await self._bucket.write(key, str(start.next_free).encode(), after=revision)
                except Conflict:
                    next_free, revision = await self._read(key)
                else:
                    self._known[station_id] = (start.next_free, written.sequence)
                    return StartSlot(start.at, start.until, start.delayed)
        raise BrokerError(f"no start of station {station_id} can be reserved")

    def _earliest(self, not_before: datetime | None) -> datetime:
        now = self._clock.now()
        return now if not_before is None else max(now, not_before)

    async def _read(self, key: str) -> tuple[int | None, int]:
        entry = await self._bucket.read(key)
        return (int(entry.value) if entry.value else None), entry.revision
