"""Pacing rules in memory. Several replicas may share one object."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from cato_contracts.api.rules.pacing import PacingRule
from cato_dialer.dial.domain.permission.pacing import AHEAD, HeldJobs, Pace, PaceTable, paced_start
from cato_dialer.dial.ports.dial import StartSlot
from cato_dialer.dial.ports.pacing import HeldBackError
from cato_runtime.clock import Clock


class MemoryPacing:
    """Implements `ports.pacing.Pacing`."""

    def __init__(self, clock: Clock, rules: Iterable[PacingRule]) -> None:
        self._clock = clock
        self._table = PaceTable(rules)
        self._next_free: dict[str, int] = {}
        self._held: defaultdict[str, HeldJobs] = defaultdict(HeldJobs)

    async def open(self) -> None:
        return None

    def pace_for(self, number: str, station_id: UUID) -> Pace | None:
        return self._table.pace_for(number, station_id)

    async def reserve(self, pace: Pace, not_before: datetime, within: timedelta = AHEAD) -> StartSlot:
        assert pace.step_ms is not None
        now = self._clock.now()
        earliest = max(now, not_before)
        start = paced_start(pace.step_ms, earliest, self._next_free.get(pace.key))
        if start.at - earliest > within:
            first_s = (start.at - now - AHEAD / 2).total_seconds()
            held = self._held[pace.key]
            raise HeldBackError(
                held.hold(asyncio.get_running_loop().time(), first_s=first_s, step_s=pace.step_ms / 1000)
            )
        self._next_free[pace.key] = start.next_free
        return StartSlot(start.at, start.until, start.delayed)

    async def close(self) -> None:
        return None
