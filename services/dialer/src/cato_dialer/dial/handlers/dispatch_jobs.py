"""The dial role: takes jobs as channels allow, works them, and goes down in good order."""

import asyncio
import math
from collections import Counter
from collections.abc import Sequence
from functools import partial

import structlog

from cato_contracts.errors import BrokerError
from cato_contracts.jobs import RunMode, RunTicket
from cato_dialer.dial.domain.capacity.overload_control import Pacing
from cato_dialer.dial.handlers.deps import DialDesk
from cato_dialer.dial.handlers.reach_subscriber import Done, GiveBack, LeaveAlone, SubscriberWorker, Verdict
from cato_dialer.dial.handlers.run_schedule import Schedule
from cato_dialer.dial.ports.dial import JobHold, JobSource
from cato_runtime.station_config import StationConfig
from cato_runtime.tasks import end_tasks

log = structlog.get_logger()

_HEARTBEAT_S = 3.0
_HANG_UP_GRACE_S = 10.0
_BROKER_DELAY_S = 1.0
_FAULT_DELAY_S = 10.0
_FAULTS = 5
"""So many times a job may fail for a reason that nobody foresaw, then its subscriber has failed."""
_IDLE_JOBS = 8
_BACK_S = 1.0
_CLOCK_S = 0.001


class DialRole:
    """`desk.tickets` must be the source's."""

    def __init__(self, desk: DialDesk, source: JobSource) -> None:
        self._desk = desk
        self._source = source
        self._working: dict[str, tuple[SubscriberWorker, JobHold]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._loops: list[asyncio.Task[None]] = []
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._draining = False
        self._schedule = Schedule(lambda: asyncio.get_running_loop().time())
        self._faults: Counter[str] = Counter()
        self.pacing = Pacing()

    @property
    def jobs_in_hand(self) -> int:
        return len(self._working)

    @property
    def ready(self) -> bool:
        """Taking jobs: started, not draining, and the engine can carry calls."""
        return bool(self._loops) and not self._draining and self._desk.trunk.capacity > 0

    async def start(self) -> None:
        self._alarm = self._wake_in(0)
        await self._desk.trunk.open()
        await self._desk.ledger.open()
        await self._desk.watch.open(self._desk.stations, self._stations_changed)
        await self._source.open(self._wake.set, self._has_call)
        self._loops = [asyncio.create_task(self._feed()), asyncio.create_task(self._heartbeats())]

    async def drain(self, deadline_s: float) -> None:
        """Take no more jobs and start no more calls; hang up what is still up at the deadline."""
        self._draining = True
        for worker, _ in self._working.values():
            worker.close()
        self._wake.set()
        try:
            async with asyncio.timeout(deadline_s):
                await self._idle.wait()
        except TimeoutError:
            log.warning("calls are hung up at the deadline", jobs=len(self._working))
            for worker, _ in self._working.values():
                worker.hang_up()
            try:
                async with asyncio.timeout(_HANG_UP_GRACE_S):
                    await self._idle.wait()
            except TimeoutError:
                log.warning("jobs are left for others to take over", jobs=len(self._working))

    async def stop(self) -> None:
        """End at once; jobs in hand are taken over by others, or by us at the next start."""
        await end_tasks(*self._loops, *self._tasks)
        self._loops = []
        await self._source.close()
        await self._desk.watch.close()
        await self._desk.ledger.close()
        await self._desk.trunk.close()

    async def change_stations(self, stations: Sequence[StationConfig]) -> None:
        """Begin the next calls with these: the same ids and channels as before."""
        self._desk.stations = stations
        await self._desk.watch.close()
        await self._desk.watch.open(stations, self._stations_changed)
        self._stations_changed()

    def _stations_changed(self) -> None:
        """Have those that wait for a channel look again where there may be one."""
        for worker, _ in self._working.values():
            worker.nudge()

    def _has_call(self, key: str) -> bool:
        known = self._working.get(key)
        return known is not None and known[0].on_call

    async def _feed(self) -> None:
        while True:
            self._wake.clear()
            self._heed_tickets()
            try:
                await self._fill()
            except BrokerError as error:
                log.warning("jobs cannot be taken now", error=str(error))
            except Exception:
                # The heartbeats wake us: it is tried again, and seen in the log each time.
                log.exception("taking jobs failed")
            if self._free() <= 0 or self._draining:
                await self._source.return_unused()
            await self._wake.wait()

    def _heed_tickets(self) -> None:
        tickets = self._source.tickets()
        for worker, _ in self._working.values():
            ticket = tickets.get(worker.job.run_id)
            if ticket is None or ticket.mode is not RunMode.CALLING:
                worker.nudge()
                if ticket is not None and ticket.hangup:
                    worker.hang_up()

    async def _fill(self) -> None:
        """Take jobs by priority; runs of the same priority share what is free."""
        tickets = self._source.tickets().values()
        for group in self._schedule.to_call(tickets):
            eager = []
            for index, ticket in enumerate(group):
                limit = math.ceil(self._free() / (len(group) - index))
                if limit > 0 and await self._take(ticket, limit) == limit:
                    eager.append(ticket)
            for ticket in eager:
                if self._free() > 0:
                    await self._take(ticket, self._free())
        if not self._draining:
            # They need no channel. The queue gives first what was in somebody's hands before.
            idle, next_s = self._schedule.to_look_after(tickets)
            for ticket in idle:
                await self._take(ticket, _IDLE_JOBS)
            self._alarm.cancel()
            if next_s is not None:
                self._alarm = self._wake_in(next_s)

    def _wake_in(self, delay_s: float) -> asyncio.TimerHandle:
        # A little later: timers may go off early, by as much as the clock cannot tell apart.
        return asyncio.get_running_loop().call_later(delay_s + _CLOCK_S, self._wake.set)

    def _free(self) -> int:
        if self._draining:
            return 0
        trunk, up = self._desk.trunk, len(self._working)
        self.pacing.observe(
            media_lag_ms=trunk.media_lag_ms,
            loop_lag_ms=trunk.loop_lag_ms,
            up=up,
            now=asyncio.get_running_loop().time(),
        )
        return self.pacing.bounded(min(trunk.capacity, self._desk.ledger.capacity())) - up

    async def _take(self, ticket: RunTicket, limit: int) -> int:
        holds = await self._source.take(ticket.run_id, limit)
        for hold in holds:
            self._begin(hold)
        return len(holds)

    def _begin(self, hold: JobHold) -> None:
        known = self._working.get(hold.key)
        if known is not None:
            # Our heartbeats were late and it came again: the same worker, under the newer delivery.
            self._working[hold.key] = (known[0], hold)
            return
        worker = SubscriberWorker(self._desk, hold.job, partial(self._source.on_call_elsewhere, hold.key))
        self._working[hold.key] = (worker, hold)
        self._idle.clear()
        task = asyncio.create_task(self._work(worker, hold.key))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _work(self, worker: SubscriberWorker, key: str) -> None:
        verdict: Verdict = GiveBack(_FAULT_DELAY_S)
        try:
            verdict = await worker.work()
        except BrokerError as error:
            log.warning("a job goes back", error=str(error))
            verdict = GiveBack(_BROKER_DELAY_S)
        except Exception:
            log.exception("a job failed")
            verdict = await self._after_fault(worker, key)
        else:
            self._faults.pop(key, None)
        _, hold = self._working.pop(key)
        match verdict:
            case Done():
                await hold.done()
            case GiveBack(delay_s, whole_run):
                if whole_run:
                    # Or each of its jobs would come and go. They stay at hand, to be looked after.
                    self._schedule.rest(worker.job.run_id, delay_s)
                    self._wake_in(delay_s)
                await hold.give_back(min(delay_s, _BACK_S) if whole_run else delay_s)
            case LeaveAlone():
                pass
        if not self._working:
            self._idle.set()
        self._wake.set()

    async def _after_fault(self, worker: SubscriberWorker, key: str) -> Verdict:
        """Have the job tried again, or say that the subscriber has failed: the run must come to an end."""
        self._faults[key] += 1
        if self._faults[key] < _FAULTS:
            return GiveBack(_FAULT_DELAY_S)
        try:
            verdict = await worker.give_up()
        except Exception:
            log.exception("a job that fails again and again cannot even be given up")
            return GiveBack(_FAULT_DELAY_S)
        del self._faults[key]
        return verdict

    async def _heartbeats(self) -> None:
        while True:
            await asyncio.sleep(_HEARTBEAT_S)
            for _, hold in tuple(self._working.values()):
                await hold.keep()
            if self._free() > 0:
                # The engine or the ledger may have more to offer than when we last looked.
                self._wake.set()
