"""Channels and starts for calls, within the bounds of stations, licence and pacing rules.

A call that no rule concerns costs a look into memory here. A job that a rule holds up returns to the queue,
so that it does not occupy the place of one that may be called.
"""

import asyncio
from collections import defaultdict
from collections.abc import Coroutine, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from cato_dialer.dial.domain.permission.pacing import AHEAD, CallBound, HeldJobs
from cato_dialer.dial.ports.dial import Channel, ChannelSource, StartSlot
from cato_dialer.dial.ports.pacing import HeldBackError, Pacing

_TRIES = 5
_CROWDED_S = 1.0


class PacedChannels:
    """The channels of one replica, for calls by their numbers."""

    def __init__(self, source: ChannelSource, pacing: Pacing) -> None:
        self._source = source
        self._pacing = pacing
        self._held: defaultdict[str, HeldJobs] = defaultdict(HeldJobs)

    def acquire(self, number: str, stations: Sequence[UUID], *, ordinary: bool) -> Channel | None:
        """Return a channel of the first station that has one; else `freed` tells when to ask again.

        Raises:
            HeldBackError: if as many subscribers as pacing rules allow are called, or wait, here.

        """
        for station in stations:
            bound = self._bound(number, station)
            if channel := self._source.acquire(station, ordinary=ordinary, bound=bound):
                return channel
        if not self._open(number, stations):
            bounds = [bound for one in stations if (bound := self._bound(number, one)) is not None]
            now = asyncio.get_running_loop().time()
            raise HeldBackError(self._held[bounds[0].name].hold(now))
        return None

    def freed(self, number: str, stations: Sequence[UUID], *, ordinary: bool) -> Coroutine[Any, Any, None]:
        """As `ChannelSource.freed`, for the stations through which this number may be called."""
        open_ = self._open(number, stations)
        bounds = [bound for one in open_ if (bound := self._bound(number, one)) is not None]
        return self._source.freed(open_, ordinary=ordinary, bounds=bounds)

    async def reserve_start(self, number: str, station_id: UUID, *, within: timedelta = AHEAD) -> StartSlot:
        """Reserve a time at which both the station and the pacing rule of the number allow a start.

        Raises:
            HeldBackError: if a pacing rule allows none within this time.
            BrokerError: if none can be reserved in time.

        """
        slot = await self._source.reserve_start(station_id)
        pace = self._pacing.pace_for(number, station_id)
        if pace is None or pace.step_ms is None:
            return slot
        for _ in range(_TRIES):
            paced = await self._pacing.reserve(pace, slot.at, within)
            if slot.until is not None and paced.at > slot.until:
                slot = await self._source.reserve_start(station_id, paced.at)
            if both := _in_both(slot, paced):
                return both
        # Many others start through the station and by the rule: the two times do not meet.
        raise HeldBackError(_CROWDED_S)

    def _bound(self, number: str, station_id: UUID) -> CallBound | None:
        pace = self._pacing.pace_for(number, station_id)
        return None if pace is None else pace.bound

    def _open(self, number: str, stations: Sequence[UUID]) -> list[UUID]:
        """Return the stations for whose channels a subscriber with this number may wait."""
        return [
            station
            for station in stations
            if (bound := self._bound(number, station)) is None or self._source.has_room(bound)
        ]


def _in_both(slot: StartSlot, paced: StartSlot) -> StartSlot | None:
    """Return the time in which both allow a start, None if they do not meet."""
    at = max(slot.at, paced.at)
    untils = [each for each in (slot.until, paced.until) if each is not None]
    until = min(untils, default=None)
    if until is not None and at > until:
        return None
    return StartSlot(at, until, delayed=slot.delayed or paced.delayed)
