"""Driving one run: carry out its next step, until it is over.

Every step may be carried out twice, by this coordinator or by one that took over: commits of the run are
idempotent by their command ids, jobs by their subjects, results by the sequence that they must follow.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import structlog

from cato_contracts.errors import ConflictError
from cato_contracts.messages.jobs import RunDispatchState
from cato_contracts.messages.runs import RunEnding, SubscriberResult
from cato_contracts.subjects import run_life, run_opt_out, run_result
from cato_dialer.campaign.domain.run.households import Households
from cato_dialer.campaign.domain.run.next_step import (
    AwaitCallsDrained,
    AwaitStation,
    BeginWave,
    CloseWave,
    Decision,
    Dial,
    EndRun,
    Expire,
    ExpireApproval,
    FailRemaining,
    GiveUp,
    GoOn,
    Release,
    Step,
    Wait,
    dispatch_state,
    next_step,
)
from cato_dialer.campaign.domain.run.progress import Progress
from cato_dialer.campaign.domain.run.run import Run
from cato_dialer.campaign.domain.stations import no_station
from cato_dialer.campaign.handlers.catalog_view import RunningTask
from cato_dialer.campaign.handlers.coordinator.call_drain import CallDrain
from cato_dialer.campaign.handlers.coordinator.old_runs import forget_old_runs
from cato_dialer.campaign.handlers.coordinator.opt_outs import OptOuts
from cato_dialer.campaign.handlers.coordinator.run_results import result_of
from cato_dialer.campaign.handlers.coordinator.wave_jobs import WaveJobs
from cato_dialer.campaign.handlers.deps import Deps
from cato_dialer.campaign.handlers.resources import translate_log_errors
from cato_dialer.campaign.handlers.starts.start_task import ensure_run_created
from cato_dialer.campaign.handlers.stations import current_stations
from cato_dialer.campaign.ports import QueuedResult
from cato_jetstream import Commit, Follower, Record
from cato_runtime.process.tasks import end_tasks

log = structlog.get_logger()

_RESULTS_AT_ONCE = 1_000
_LONGEST_WAIT_S = 60.0
"""The wall clock is read this often, however far away the next step is."""


class RunDriver:
    """Drives one run while its lease is held. The caller cancels `drive` when the lease is lost."""

    def __init__(self, running: RunningTask, deps: Deps) -> None:
        self._running = running
        self._deps = deps
        self._snapshot = running.snapshot
        self._id = running.snapshot.run_id
        self._progress = Progress(self._snapshot.subscriber_count)
        self._opt_out_prefix = run_opt_out(self._id, "")
        self._opt_outs = OptOuts(self._snapshot, deps)
        subjects = [run_life(self._id), run_result(self._id, "*"), *self._opt_outs.subjects]
        self._follower = Follower(deps.run_log, subjects, lambda record: record)
        self._changed = asyncio.Event()
        self._published: RunDispatchState | None = None
        self._jobs = WaveJobs(self._snapshot, self._progress, deps)
        self._drain = CallDrain(self._snapshot, self._progress, deps)

    async def drive(self) -> None:
        """Return when the run is over and its task has recorded that.

        Raises:
            LeaseLostError: if another coordinator drives it.
            BrokerError, EventLogError: if the broker fails. A new attempt continues from the log.

        """
        self._run = await ensure_run_created(self._deps, self._running)
        if self._snapshot.sharing:
            content = await self._deps.objects.get(self._snapshot.subscribers)
            count = self._snapshot.subscriber_count
            self._progress.households = await asyncio.to_thread(Households.of_list, count, content)
        forget = self._deps.stations.on_change(self._changed.set)
        try:
            await self._drive()
        finally:
            forget()

    async def _drive(self) -> None:
        async with asyncio.TaskGroup() as group:
            following = group.create_task(self._follower.run(self._fold))
            excluding = group.create_task(self._opt_outs.carry_out())
            await self._follower.until_current()
            while not isinstance(step := self._next_step(), Release):
                await self._publish_state()
                await self._do(step)
            await end_tasks(following, excluding)
        await self._release()

    def _next_step(self) -> Step:
        self._changed.clear()
        self._progress.turn_to(self._run.wave)
        return next_step(
            self._run,
            self._progress,
            self._deps.clock.now(),
            drained=self._drain.drained,
            no_station=no_station(current_stations(self._deps)),
            station_wait=timedelta(seconds=self._deps.config.dialing.station_down_wait_s),
        )

    async def _do(self, step: Step) -> None:
        match step:
            case Dial(wave=wave, until=until):
                await self._dial(wave, until)
            case Wait(until=until):
                await self._wait(until)
            case AwaitCallsDrained():
                await self._await_calls_drained()
            case FailRemaining(wave=wave, reason=reason):
                await self._fail_remaining(wave, reason)
            case Release():
                pass
            case EndRun():
                await self._carry_out_opt_outs()
                await self._decide(*self._decision(step))
            case _:
                await self._decide(*self._decision(step))

    def _decision(self, step: Decision) -> tuple[str, Callable[[Run], None]]:
        """Return the id of a decision, and how the run takes it."""
        now, version = self._deps.clock.now(), self._run.version
        name: str
        decide: Callable[[Run], None]
        match step:
            case BeginWave(wave=wave, size=size):
                name, decide = f"wave-{wave}", lambda run: run.begin_wave(wave, size, timestamp=now)
            case CloseWave(wave=wave, notified=notified, failed=failed):
                name, decide = (
                    f"wave-{wave}-end",
                    lambda run: run.close_wave(wave, notified, failed, timestamp=now),
                )
            case Expire():
                name, decide = "expire", lambda run: run.expire(timestamp=now)
            case ExpireApproval():
                name, decide = "approval-expired", lambda run: run.expire_approval(timestamp=now)
            case AwaitStation():
                log.warning("no station responds, the run waits", run_id=str(self._id))
                # A run may wait several times: the version tells the decisions apart.
                name, decide = f"stations-down-{version}", lambda run: run.await_station(timestamp=now)
            case GoOn():
                log.info("the run waits no longer for a station", run_id=str(self._id))
                name, decide = f"stations-up-{version}", lambda run: run.go_on(timestamp=now)
            case GiveUp():
                log.error("no station has responded for too long, the run ends", run_id=str(self._id))
                name, decide = "give-up", lambda run: run.give_up(timestamp=now)
            case EndRun(ending=ending):
                name, decide = "end", lambda run: run.end(ending, timestamp=now)
        return name, decide

    async def _carry_out_opt_outs(self) -> None:
        """Wait until all opt-outs of the run are on a list. No call is up any more, so none follows."""
        if subjects := self._opt_outs.subjects:
            await self._follower.wait_for(await self._deps.run_log.end(subjects))
            await self._opt_outs.none_left()

    def _fold(self, record: Record) -> None:
        """Fold a message of the run: a commit, a result or an opt-out."""
        self._changed.set()
        if record.subject.startswith(self._opt_out_prefix):
            self._opt_outs.note(record)
            return
        if record.subject == run_life(self._id):
            self._adopt(self._deps.runs.restore(Commit.from_record(record)))
            return
        if (result := result_of(record)) is not None:
            for no in result.nos:
                self._progress.record(no, result.wave, notified=result.notified, sequence=record.sequence)

    def _adopt(self, run: Run) -> None:
        if run.version <= self._run.version:
            return
        if run.ending != self._run.ending:
            stopped = run.ending is RunEnding.STOPPED
            self._drain = CallDrain(self._snapshot, self._progress, self._deps, rejects_starts=stopped)
        self._run = run

    async def _decide(self, step: str, decision: Callable[[Run], None]) -> None:
        """Commit one decision idempotently. On a conflict, reload the run and decide again."""

        def decide(run: Run) -> list[dict[str, Any]]:
            decision(run)
            return run.unpublished()

        try:
            with translate_log_errors("taskExec", self._id):
                run = await self._deps.runs.execute(self._id, step, decide)
        except ConflictError:
            run = await self._deps.runs.load(self._id)
        self._adopt(run)

    async def _publish_state(self) -> None:
        wanted = dispatch_state(self._run)
        if wanted is None or wanted == self._published:
            return
        if self._published is None:
            await self._deps.queue.open(self._id)
        await self._deps.run_states.put(wanted)
        self._published = wanted

    async def _dial(self, wave: int, until: datetime | None) -> None:
        if not await self._jobs.queue_some(wave):
            await self._wait(until, at_most_s=self._deps.pace.audit_s)

    async def _await_calls_drained(self) -> None:
        await self._drain.check()
        if not self._drain.drained:
            await self._wait(None, at_most_s=self._deps.pace.drain_check_s)

    async def _fail_remaining(self, wave: int, reason: str) -> None:
        some = [
            QueuedResult(
                SubscriberResult(
                    run_id=self._id,
                    no=no,
                    wave=wave,
                    notified=False,
                    reason=reason,
                    call_id=None,
                    number=None,
                    members=self._progress.households.members(no),
                ),
                after=self._progress.head(no),
            )
            for no in islice(self._progress.unsettled(), _RESULTS_AT_ONCE)
        ]
        last = await self._deps.calls.give_results(some)
        if last:
            await self._follower.wait_for(last)
        else:
            await self._wait(None, at_most_s=self._deps.pace.drain_check_s)

    async def _wait(self, until: datetime | None, *, at_most_s: float = _LONGEST_WAIT_S) -> None:
        """Wait until the time, or until a message of the run."""
        seconds = min(at_most_s, _LONGEST_WAIT_S)
        if until is not None:
            seconds = min(seconds, max(0.0, (until - self._deps.clock.now()).total_seconds()))
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return

    async def _release(self) -> None:
        await self._deps.run_states.remove(self._id)
        await self._deps.queue.close(self._id)
        now = self._deps.clock.now()
        await self._deps.tasks.execute(
            self._snapshot.task_id,
            f"run-ended:{self._id}",
            lambda task: task.end_run(self._id, timestamp=now),
        )
        await forget_old_runs(self._deps, self._snapshot.task_id)
        log.info("run is over", run_id=str(self._id), ending=self._run.ending)
