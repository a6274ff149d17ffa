"""The next free start of each station, by its minimum interval between calls."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from cato_dialer.dial.adapters.nats.pacing.next_starts import NextStarts
from cato_dialer.dial.domain.capacity.start_times import Start, next_start
from cato_dialer.dial.domain.station import Station
from cato_dialer.dial.ports.dial import StartSlot
from cato_jetstream import Bucket
from cato_runtime.clock import Clock


class NatsStationStarts:
    """Keys `start.<station>` in the bucket; a station without a minimum interval needs none."""

    def __init__(self, bucket: Bucket, stations: Sequence[Station], clock: Clock) -> None:
        self._stations = {station.id: station for station in stations}
        self._clock = clock
        self._starts = NextStarts(bucket)

    async def reserve(self, station_id: UUID, not_before: datetime | None = None) -> StartSlot:
        """Reserve the station's next start, from `not_before` on.

        Raises:
            BrokerError: if no start can be reserved in time.

        """
        station = self._stations[station_id]
        if station.min_call_interval_ms == 0:
            return StartSlot(self._earliest(not_before), None, delayed=False)

        def choose(next_free: int | None) -> Start:
            earliest = self._earliest(not_before)
            return next_start(station.channels, station.min_call_interval_ms, earliest, next_free)

        start = await self._starts.reserve(str(station_id), choose)
        return StartSlot(start.at, start.until, start.delayed)

    def _earliest(self, not_before: datetime | None) -> datetime:
        now = self._clock.now()
        return now if not_before is None else max(now, not_before)
