"""Driving one run: what its state asks for is done, step by step, until it is over.

Everything here may be done twice, by us or by another coordinator that took over: commits of the run are
made once by their command ids, jobs by their subjects, results by the place that they are written to.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

import structlog

from cato_contracts.envelope import UndecodableError, decode
from cato_contracts.errors import ConflictError
from cato_contracts.jobs import DialJob, RunTicket
from cato_contracts.runs import RunSubscriber, SubscriberResult
from cato_contracts.subjects import run_life, run_result
from cato_dialer.campaign.domain.run.next_step import (
    AwaitCallsDrained,
    BeginWave,
    CloseWave,
    Dial,
    EndRun,
    Expire,
    FailRemaining,
    Release,
    Step,
    Wait,
    next_step,
    ticket,
)
from cato_dialer.campaign.domain.run.progress import Progress
from cato_dialer.campaign.domain.run.run import Run
from cato_dialer.campaign.handlers.catalog import Repositories, translate_log_errors
from cato_dialer.campaign.handlers.catalog_view import RunningTask
from cato_dialer.campaign.handlers.start_task import begun
from cato_dialer.campaign.ports import DialQueue, QueuedResult, RunCalls, RunTickets
from cato_jetstream import Commit, Follower, Log, Record
from cato_runtime.clock import Clock
from cato_runtime.objects import ObjectStore
from cato_runtime.tasks import end_tasks

log = structlog.get_logger()

_JOBS_AT_ONCE = 1_000
_RESULTS_AT_ONCE = 1_000
_LONGEST_SETUP_S = 600.0
"""More than any station may take from INVITE to ringing and from ringing to the answer."""
_LONGEST_WAIT_S = 60.0
"""However far away the next step is, the clock on the wall is looked at this often."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often things are looked at that no event tells of; seconds.

    `audit_s`: whether every subscriber who waits for a result has a job. `drain_check_s`: whether calls are
    still up in a run that ends. `settle_s`: how long a dial replica may take to hear that no call may be
    started.
    """

    audit_s: float = 10.0
    drain_check_s: float = 0.25
    settle_s: float = 2.0


@dataclass(frozen=True, slots=True)
class CampaignSurroundings:
    """What runs are driven with; `log` is the one of the runs."""

    repositories: Repositories
    log: Log
    objects: ObjectStore
    queue: DialQueue
    tickets: RunTickets
    calls: RunCalls
    clock: Clock
    pace: Pace = Pace()


class RunDriver:
    """Drives one run, for as long as its lease is ours (whoever runs it cancels it otherwise)."""

    def __init__(self, running: RunningTask, around: CampaignSurroundings) -> None:
        self._running = running
        self._around = around
        self._id = running.snapshot.run_id
        self._snapshot = running.snapshot
        self._progress = Progress(self._snapshot.subscriber_count)
        self._follower = Follower(
            around.log, [run_life(self._id), run_result(self._id, "*")], lambda record: record
        )
        self._changed = asyncio.Event()
        self._ticket: RunTicket | None = None
        self._subscribers: list[bytes] = []
        self._queued_wave = 0
        self._to_queue: deque[int] = deque()
        self._suspects: set[int] = set()
        self._audit_at = 0.0
        self._drained = False
        self._draining_since: float | None = None
        self._up: frozenset[int] | None = None

    async def drive(self) -> None:
        """Return when the run is over and its task knows.

        Raises:
            LeaseLostError: if somebody else drives it.
            BrokerError, EventLogError: if the broker fails; another try goes on from the log.

        """
        self._run = await begun(self._around.repositories.runs, self._running)
        async with asyncio.TaskGroup() as group:
            following = group.create_task(self._follower.run(self._take_in))
            await self._follower.until_current()
            while not isinstance(step := self._next_step(), Release):
                await self._show_ticket()
                await self._do(step)
            await end_tasks(following)
        await self._release()

    def _next_step(self) -> Step:
        self._changed.clear()
        self._progress.turn_to(self._run.wave)
        return next_step(self._run, self._progress, self._around.clock.now(), drained=self._drained)

    async def _do(self, step: Step) -> None:
        now = self._around.clock.now()
        match step:
            case BeginWave(wave=wave, size=size):
                await self._decide(f"wave-{wave}", lambda run: run.begin_wave(wave, size, timestamp=now))
            case Dial(wave=wave, until=until):
                await self._dial(wave, until)
            case CloseWave(wave=wave, notified=notified, failed=failed):
                await self._decide(
                    f"wave-{wave}-end", lambda run: run.close_wave(wave, notified, failed, timestamp=now)
                )
            case Wait(until=until):
                await self._wait(until)
            case Expire():
                await self._decide("expire", lambda run: run.expire(timestamp=now))
            case AwaitCallsDrained():
                await self._await_calls_drained()
            case FailRemaining(wave=wave):
                await self._fail_remaining(wave)
            case EndRun(ending=ending):
                await self._decide("end", lambda run: run.end(ending, timestamp=now))
            case Release():
                pass

    def _take_in(self, record: Record) -> None:
        """Fold a message of the run: what was decided, or a result."""
        self._changed.set()
        if record.subject == run_life(self._id):
            self._adopt(self._around.repositories.runs.restore(Commit.from_record(record)))
            return
        try:
            result = decode(record.data).body
        except UndecodableError as error:
            log.error("a result cannot be read", subject=record.subject, reason=str(error))  # noqa: TRY400
            return
        if isinstance(result, SubscriberResult):
            self._progress.record(result.no, result.wave, notified=result.notified, sequence=record.sequence)

    def _adopt(self, run: Run) -> None:
        if run.version <= self._run.version:
            return
        if run.ending != self._run.ending:
            self._drained = False
            self._draining_since = None
            self._up = None
        self._run = run

    async def _decide(self, step: str, decision: Callable[[Run], None]) -> None:
        """Commit a step of the run, once whoever tries; what came in between is taken in and thought over."""

        def decide(run: Run) -> list[dict[str, Any]]:
            decision(run)
            return run.unpublished()

        try:
            with translate_log_errors("execution", self._id):
                run = await self._around.repositories.runs.execute(self._id, step, decide)
        except ConflictError:
            run = await self._around.repositories.runs.load(self._id)
        self._adopt(run)

    async def _show_ticket(self) -> None:
        wanted = ticket(self._run)
        if wanted is None or wanted == self._ticket:
            return
        if self._ticket is None:
            await self._around.queue.open(self._id)
        await self._around.tickets.put(wanted)
        self._ticket = wanted

    async def _dial(self, wave: int, until: datetime | None) -> None:
        if self._queued_wave != wave:
            await self._find_missing(wave)
        elif asyncio.get_running_loop().time() >= self._audit_at:
            await self._audit(wave)
        if self._to_queue:
            await self._queue_some(wave)
        else:
            await self._wait(until, at_most_s=self._around.pace.audit_s)

    async def _find_missing(self, wave: int) -> None:
        """Queue everybody without a result and a job: in a new wave all, after a take-over the rest."""
        if not self._subscribers:
            content = await self._around.objects.get(self._snapshot.subscribers)
            self._subscribers = await asyncio.to_thread(content.splitlines)
        queued = await self._around.queue.queued(self._id, wave)
        self._to_queue = deque(no for no in self._progress.unsettled() if no not in queued)
        self._queued_wave = wave
        self._suspects = set()
        self._plan_audit()

    async def _audit(self, wave: int) -> None:
        """Look for jobs that got lost.

        A job may be gone because its result is on the way to us: only who is missing twice is queued again.
        """
        self._plan_audit()
        await self._around.queue.open(self._id)
        if self._progress.outstanding <= await self._around.queue.count(self._id) and not self._suspects:
            return
        queued = await self._around.queue.queued(self._id, wave)
        missing = {no for no in self._progress.unsettled() if no not in queued}
        lost = sorted(missing & self._suspects)
        self._suspects = missing
        if lost:
            log.warning(
                "jobs were lost and are queued again", run_id=str(self._id), wave=wave, jobs=len(lost)
            )
            self._to_queue.extend(lost)

    def _plan_audit(self) -> None:
        self._audit_at = asyncio.get_running_loop().time() + self._around.pace.audit_s

    async def _queue_some(self, wave: int) -> None:
        some = [self._to_queue.popleft() for _ in range(min(_JOBS_AT_ONCE, len(self._to_queue)))]
        try:
            await self._around.queue.enqueue(
                [self._job(wave, no) for no in some if not self._progress.is_settled(no)]
            )
        except BaseException:
            self._to_queue.extendleft(reversed(some))
            raise
        self._plan_audit()

    def _job(self, wave: int, no: int) -> DialJob:
        return DialJob(
            run_id=self._id,
            wave=wave,
            subscriber=RunSubscriber.model_validate_json(self._subscribers[no]),
            settings=self._snapshot.settings,
            time_zone=self._snapshot.time_zone,
            prompt=self._snapshot.prompt,
            priority=self._snapshot.priority,
            expires_at=self._snapshot.expires_at,
        )

    async def _await_calls_drained(self) -> None:
        """Find out whether a call is up, or may still begin; if so, wait a little."""
        loop = asyncio.get_running_loop()
        if self._draining_since is None:
            self._draining_since = loop.time()
        waited = loop.time() - self._draining_since
        if await self._around.queue.count(self._id) == 0:
            self._drained = True
        elif waited >= self._around.pace.settle_s:
            # Before that, a dial replica may start a call because it has not heard yet that it must not.
            self._up = await self._around.calls.up(self._id, self._up)
            self._drained = not self._up
        if not self._drained and waited >= self._longest_call_s:
            log.error("calls never ended", run_id=str(self._id), calls=len(self._up or ()))
            self._drained = True
        if not self._drained:
            await self._wait(None, at_most_s=self._around.pace.drain_check_s)

    @property
    def _longest_call_s(self) -> float:
        settings = self._snapshot.settings
        return settings.max_call_duration_s + settings.max_answer_delay_s + _LONGEST_SETUP_S

    async def _fail_remaining(self, wave: int) -> None:
        some = [
            QueuedResult(
                SubscriberResult(
                    run_id=self._id,
                    no=no,
                    wave=wave,
                    notified=False,
                    reason="expired",
                    call_id=None,
                    number=None,
                ),
                after=self._progress.head(no),
            )
            for no in islice(self._progress.unsettled(), _RESULTS_AT_ONCE)
        ]
        last = await self._around.calls.give_results(some)
        if last:
            await self._follower.wait_for(last)
        else:
            await self._wait(None, at_most_s=self._around.pace.drain_check_s)

    async def _wait(self, until: datetime | None, *, at_most_s: float = _LONGEST_WAIT_S) -> None:
        """Wait for a message of the run, or for the time."""
        seconds = min(at_most_s, _LONGEST_WAIT_S)
        if until is not None:
            seconds = min(seconds, max(0.0, (until - self._around.clock.now()).total_seconds()))
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return

    async def _release(self) -> None:
        await self._around.tickets.remove(self._id)
        await self._around.queue.close(self._id)
        tasks = self._around.repositories.tasks
        now = self._around.clock.now()
        with translate_log_errors("task", self._snapshot.task_id):
            await tasks.execute(
                self._snapshot.task_id,
                f"run-ended:{self._id}",
                lambda task: task.end_run(self._id, timestamp=now),
            )
        log.info("the run is over", run_id=str(self._id), ending=self._run.ending)
