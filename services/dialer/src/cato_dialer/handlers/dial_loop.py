"""The dial role: takes jobs as channels allow, works them, and goes down in good order."""

import asyncio
import math
from collections.abc import Iterable, Sequence
from functools import partial
from itertools import groupby
from uuid import UUID

import structlog

from cato_contracts.jobs import RunMode, RunTicket
from cato_dialer.handlers.dial_desk import DialDesk
from cato_dialer.handlers.dial_subscriber import Done, GiveBack, LeaveAlone, SubscriberWorker, Verdict
from cato_dialer.ports.dial import JobHold, JobSource
from cato_runtime.config import StationConfig
from cato_runtime.errors import BrokerError

log = structlog.get_logger()

_HEARTBEAT_S = 3.0
_HANG_UP_GRACE_S = 10.0
_BROKER_DELAY_S = 1.0
_FAULT_DELAY_S = 10.0


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
        self._turn = 0
        self._resting: dict[UUID, float] = {}

    @property
    def jobs_in_hand(self) -> int:
        return len(self._working)

    @property
    def ready(self) -> bool:
        """Taking jobs: started, not draining, and the engine can carry calls."""
        return bool(self._loops) and not self._draining and self._desk.trunk.capacity > 0

    async def start(self) -> None:
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
        for task in (*self._loops, *self._tasks):
            task.cancel()
        await asyncio.gather(*self._loops, *self._tasks, return_exceptions=True)
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
        self._turn += 1
        for group in _by_priority(self._source.tickets().values()):
            shift = self._turn % len(group)
            runs = [ticket for ticket in (*group[shift:], *group[:shift]) if not self._is_resting(ticket)]
            eager = []
            for index, ticket in enumerate(runs):
                limit = math.ceil(self._free() / (len(runs) - index))
                if limit > 0 and await self._take(ticket, limit) == limit:
                    eager.append(ticket)
            for ticket in eager:
                if self._free() > 0:
                    await self._take(ticket, self._free())

    def _rest(self, run_id: UUID, delay_s: float) -> None:
        """Take no jobs of a run that may not call now, or each of its jobs would come and go."""
        loop = asyncio.get_running_loop()
        self._resting[run_id] = loop.time() + delay_s
        loop.call_later(delay_s, self._wake.set)

    def _is_resting(self, ticket: RunTicket) -> bool:
        until = self._resting.get(ticket.run_id)
        if until is None or ticket.mode is not RunMode.CALLING:
            return False
        if until > asyncio.get_running_loop().time():
            return True
        del self._resting[ticket.run_id]
        return False

    def _free(self) -> int:
        if self._draining:
            return 0
        return min(self._desk.trunk.capacity, self._desk.ledger.capacity()) - len(self._working)

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
        _, hold = self._working.pop(key)
        match verdict:
            case Done():
                await hold.done()
            case GiveBack(delay_s, whole_run):
                if whole_run:
                    self._rest(worker.job.run_id, delay_s)
                await hold.give_back(delay_s)
            case LeaveAlone():
                pass
        if not self._working:
            self._idle.set()
        self._wake.set()

    async def _heartbeats(self) -> None:
        while True:
            await asyncio.sleep(_HEARTBEAT_S)
            for _, hold in tuple(self._working.values()):
                await hold.keep()
            if self._free() > 0:
                # The engine or the ledger may have more to offer than when we last looked.
                self._wake.set()


def _by_priority(tickets: Iterable[RunTicket]) -> Sequence[Sequence[RunTicket]]:
    calling = [ticket for ticket in tickets if ticket.mode is RunMode.CALLING]
    calling.sort(key=lambda ticket: (-ticket.priority, ticket.run_id))
    by_priority = [list(group) for _, group in groupby(calling, key=lambda ticket: ticket.priority)]
    # The jobs of a run that stops are dropped, but for calls that a dead replica left without an end:
    # the run waits for that.
    stopping = [ticket for ticket in tickets if ticket.mode is RunMode.STOPPING]
    return [*by_priority, stopping] if stopping else by_priority
