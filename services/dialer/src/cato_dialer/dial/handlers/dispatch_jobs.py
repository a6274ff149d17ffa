"""Take as many jobs as channels allow, run one worker for each, and drain them at a shutdown."""

import asyncio
import math
from collections import Counter
from collections.abc import Coroutine, Mapping
from functools import partial
from typing import Any
from uuid import UUID

import structlog

from cato_contracts.errors import BrokerError, TemporaryError
from cato_contracts.messages.jobs import RunDispatchState, RunMode
from cato_dialer.dial.domain.capacity.overload_control import OverloadControl
from cato_dialer.dial.domain.subscriber.fault_limits import JOB_FAULT_LIMIT
from cato_dialer.dial.handlers.deps import HEARTBEAT_S, SETTLED_S, Deps
from cato_dialer.dial.handlers.reach_subscriber import SubscriberWorker
from cato_dialer.dial.handlers.run_schedule import RunSchedule
from cato_dialer.dial.handlers.verdict import AwaitEnd, Done, GiveBack, LeaveAlone, Verdict
from cato_dialer.dial.ports.dial import JobDelivery, JobSource
from cato_runtime import tracing
from cato_runtime.process.tasks import end_tasks

log = structlog.get_logger()

_HANG_UP_GRACE_S = 10.0
_FAULT_DELAY_S = 10.0
_IDLE_JOBS = 8
_BACK_S = 1.0
_CLOCK_S = 0.001


class JobDispatcher:
    """Feeds one replica with jobs. `deps.run_states` must be those of `source`."""

    def __init__(self, deps: Deps, source: JobSource) -> None:
        self._deps = deps
        self._source = source
        self._working: dict[str, tuple[SubscriberWorker, JobDelivery]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._loops: list[asyncio.Task[None]] = []
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._draining = False
        self._schedule = RunSchedule(lambda: asyncio.get_running_loop().time())
        self._faults: Counter[str] = Counter()
        self._applied: Mapping[UUID, RunDispatchState] = {}
        self.overload = OverloadControl()

    @property
    def jobs_in_hand(self) -> int:
        return len(self._working)

    async def start(self) -> None:
        """Open the source and begin to take jobs."""
        self._alarm = self._wake_in(0)
        await self._source.open(self._wake.set, self._has_call)
        self._loops = [asyncio.create_task(self._feed()), asyncio.create_task(self._heartbeats())]

    async def drain(self, deadline_s: float) -> None:
        """Take no more jobs and start no more calls; hang up the calls that are up at the deadline."""
        self._draining = True
        for worker, _ in self._working.values():
            worker.close()
        self._wake.set()
        if self._working:
            log.info("waiting for calls to end", jobs=len(self._working), at_most_s=deadline_s)
        try:
            async with asyncio.timeout(deadline_s):
                await self._idle.wait()
        except TimeoutError:
            log.warning("drain deadline passed, hanging up calls", jobs=len(self._working))
            self.hang_up()
            try:
                async with asyncio.timeout(_HANG_UP_GRACE_S):
                    await self._idle.wait()
            except TimeoutError:
                log.warning("jobs are left for other replicas to take over", jobs=len(self._working))

    def hang_up(self) -> None:
        """Hang up the calls that are up."""
        for worker, _ in self._working.values():
            worker.hang_up()

    async def stop(self) -> None:
        """End at once. Jobs in hand are delivered again, to other replicas or to the next start."""
        await end_tasks(*self._loops, *self._tasks)
        self._loops = []
        await self._source.close()

    def stations_changed(self) -> None:
        """Have workers that wait for a channel check the stations again, and runs that rest."""
        for worker, _ in self._working.values():
            worker.nudge()
        self._schedule.wake()
        self._wake.set()

    def _has_call(self, key: str) -> bool:
        known = self._working.get(key)
        return known is not None and known[0].on_call

    async def _feed(self) -> None:
        while True:
            self._wake.clear()
            self._apply_run_states()
            try:
                await self._fill()
            except BrokerError as error:
                log.warning("jobs cannot be taken without the broker", error=str(error))
            except Exception:
                # The heartbeats wake this loop, so it tries again.
                log.exception("taking jobs failed")
            if self._free() <= 0 or self._draining:
                await self._source.return_unused()
            await self._wake.wait()

    def _apply_run_states(self) -> None:
        """After a change, stop the workers of runs that may not call; hang up where a run asks for that."""
        run_states = dict(self._source.run_states())
        if run_states == self._applied:
            return  # a worker that begins later reads the states itself
        self._applied = run_states
        for worker, _ in self._working.values():
            state = run_states.get(worker.job.run_id)
            if state is None or state.mode is not RunMode.CALLING:
                worker.nudge()
                if state is not None and state.hangup:
                    worker.hang_up()

    async def _fill(self) -> None:
        """Take jobs by priority; runs of the same priority share the free capacity."""
        run_states = self._source.run_states().values()
        for group in self._schedule.to_call(run_states):
            priority = max(state.priority for state in group)
            eager = []
            for index, state in enumerate(group):
                limit = math.ceil(self._free_for(priority) / (len(group) - index))
                if limit > 0 and await self._take(state, limit) == limit:
                    eager.append(state)
            for state in eager:
                if self._free_for(priority) > 0:
                    await self._take(state, self._free_for(priority))
        if not self._draining:
            # These need no channel. The queue delivers first the jobs that a replica had in hand before.
            idle, next_s = self._schedule.to_check(run_states)
            for state in idle:
                await self._take(state, _IDLE_JOBS)
            self._alarm.cancel()
            if next_s is not None:
                self._alarm = self._wake_in(next_s)

    def _wake_in(self, delay_s: float) -> asyncio.TimerHandle:
        # Slightly later: a timer may fire early, by the resolution of the clock.
        return asyncio.get_running_loop().call_later(delay_s + _CLOCK_S, self._wake.set)

    def _free(self) -> int:
        """Return how many more jobs the trunk, the channels and the overload control allow."""
        if self._draining:
            return 0
        trunk, up = self._deps.trunk, len(self._working)
        self.overload.observe(
            media_lag_ms=trunk.media_lag_ms,
            loop_lag_ms=trunk.loop_lag_ms,
            up=up,
            now=asyncio.get_running_loop().time(),
        )
        return self.overload.bounded(min(trunk.capacity, self._deps.channels.capacity())) - up

    def _free_for(self, priority: int) -> int:
        """Return how many more jobs of runs with this priority may be taken."""
        channels = self._deps.channels
        free, is_ordinary = self._free(), channels.licence.is_ordinary
        if free <= 0 or not is_ordinary(priority):
            return free
        reserved = channels.capacity() - channels.capacity(ordinary=True)
        urgent = sum(not is_ordinary(worker.job.priority) for worker, _ in self._working.values())
        return free - max(0, reserved - urgent)

    async def _take(self, state: RunDispatchState, limit: int) -> int:
        deliveries = await self._source.take(state.run_id, limit)
        for delivery in deliveries:
            self._begin(delivery)
        return len(deliveries)

    def _begin(self, delivery: JobDelivery) -> None:
        known = self._working.get(delivery.key)
        if known is not None:
            # Our heartbeats were late: the worker goes on, under the newer delivery.
            known[1].leave()
            self._working[delivery.key] = (known[0], delivery)
            return
        ask_owner = partial(self._source.ask_owner, delivery.key)
        worker = SubscriberWorker(self._deps, delivery.job, ask_owner, redelivered=delivery.redelivered)
        self._working[delivery.key] = (worker, delivery)
        self._idle.clear()
        self._spawn(self._work(worker, delivery.key, delivery.traceparent))

    async def _work(self, worker: SubscriberWorker, key: str, parent: str | None) -> None:
        verdict: Verdict = GiveBack(_FAULT_DELAY_S)
        job = worker.job
        try:
            with tracing.span(
                "job", parent=parent, run=job.run_id, subscriber=job.subscriber.no, wave=job.wave
            ):
                verdict = await worker.work()
        except TemporaryError as error:
            log.warning("job is given back for another attempt", error=str(error))
            verdict = GiveBack(error.delay_s)
        except Exception:
            log.exception("job failed")
            verdict = await self._after_fault(worker, key)
        else:
            self._faults.pop(key, None)
        _, delivery = self._working.pop(key)
        match verdict:
            case Done():
                await delivery.done()
            case GiveBack(delay_s, whole_run):
                if whole_run:
                    # Without this rest every job of the run would be taken and given back in turn. The jobs
                    # return soon and are checked again.
                    self._schedule.rest(worker.job.run_id, delay_s)
                    self._wake_in(delay_s)
                await delivery.give_back(min(delay_s, _BACK_S) if whole_run else delay_s)
            case AwaitEnd(delay_s):
                self._schedule.check_within(worker.job.run_id, delay_s)
                await delivery.give_back(delay_s)
            case LeaveAlone():
                delivery.leave()
        if not self._working:
            self._idle.set()
        self._wake.set()

    async def _after_fault(self, worker: SubscriberWorker, key: str) -> Verdict:
        """Have the job tried again, or fail the subscriber, so that the run comes to an end."""
        self._faults[key] += 1
        if self._faults[key] < JOB_FAULT_LIMIT:
            return GiveBack(_FAULT_DELAY_S)
        try:
            verdict = await worker.give_up()
        except Exception:
            log.exception("job that failed repeatedly cannot be given up")
            return GiveBack(_FAULT_DELAY_S)
        del self._faults[key]
        return verdict

    async def _heartbeats(self) -> None:
        known = self._deps.freezes.count()
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            if (freezes := self._deps.freezes.count()) != known:
                known = freezes
                log.warning("this process stood still, checking its jobs", jobs=len(self._working))
                # In a task of its own: without the broker it waits, and the heartbeats must go on.
                self._spawn(self._check_jobs())
            for _, delivery in tuple(self._working.values()):
                await delivery.extend()
            if self._free() > 0:
                # The trunk or the channels may allow more than at the last look.
                self._wake.set()

    async def _check_jobs(self) -> None:
        """End the calls whose jobs were taken over while this process stood still."""
        for pause_s in (0, SETTLED_S):
            await asyncio.sleep(pause_s)
            await asyncio.gather(*(worker.prove_hold() for worker, _ in self._working.values()))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
