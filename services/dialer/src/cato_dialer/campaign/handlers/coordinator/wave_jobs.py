"""The jobs of a wave: one for every subscriber without a result."""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import structlog

from cato_contracts.api.reasons import Reason
from cato_contracts.messages.jobs import DialJob
from cato_contracts.messages.runs import RunSnapshot, RunSubscriber, SubscriberResult
from cato_dialer.campaign.domain.run.local_time import call_zones, subscriber_zones
from cato_dialer.campaign.domain.run.progress import Progress
from cato_dialer.campaign.handlers.deps import Deps
from cato_dialer.campaign.ports import QueuedResult
from cato_runtime import tracing

log = structlog.get_logger()

JOB_TOO_LARGE = Reason.JOB_TOO_LARGE
"""The reason of a subscriber whose job is larger than a message of the broker."""

NO_TIME_ZONE = Reason.NO_TIME_ZONE

_JOBS_AT_ONCE = 1_000


class WaveJobs:
    """Queues the jobs of the run's current wave and finds lost ones. All methods raise BrokerError."""

    def __init__(self, snapshot: RunSnapshot, progress: Progress, deps: Deps) -> None:
        self._snapshot = snapshot
        self._progress = progress
        self._deps = deps
        self._subscribers: list[bytes] = []
        self._wave = 0
        self._to_queue: deque[int] = deque()
        self._suspects: set[int] = set()
        self._audit_at = 0.0

    @property
    def _run_id(self) -> UUID:
        return self._snapshot.run_id

    async def queue_some(self, wave: int) -> bool:
        """Queue some of the missing jobs of this wave. Return whether there were any."""
        if self._wave != wave:
            await self._find_missing(wave)
        elif asyncio.get_running_loop().time() >= self._audit_at:
            await self._audit(wave)
        if not self._to_queue:
            return False
        some = [self._to_queue.popleft() for _ in range(min(_JOBS_AT_ONCE, len(self._to_queue)))]
        try:
            people = [self._subscriber(no) for no in some if not self._progress.is_settled(no)]
            jobs = [job for person in people if (job := self._job(wave, person)) is not None]
            with tracing.span("queue jobs", parent=self._snapshot.traceparent, wave=wave, jobs=len(jobs)):
                too_large = await self._deps.queue.enqueue(jobs)
            if too_large:
                log.error(
                    "jobs too large for the broker, subscribers failed",
                    run_id=str(self._run_id),
                    jobs=len(too_large),
                )
                await self._fail(wave, [job.subscriber.no for job in too_large], JOB_TOO_LARGE)
            if len(jobs) < len(people):
                called = {job.subscriber.no for job in jobs}
                without = [person.no for person in people if person.no not in called]
                await self._fail(wave, without, NO_TIME_ZONE)
        except BaseException:
            self._to_queue.extendleft(reversed(some))
            raise
        self._plan_audit()
        return True

    async def _fail(self, wave: int, nos: Sequence[int], reason: str) -> None:
        """Give these subscribers a result: without a job the wave would wait for them for ever."""
        await self._deps.calls.give_results(
            [
                QueuedResult(
                    SubscriberResult(
                        run_id=self._run_id,
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
                for no in nos
            ]
        )

    async def _find_missing(self, wave: int) -> None:
        """Collect the subscribers without a result and a job: all in a new wave, some after a takeover."""
        if not self._subscribers:
            content = await self._deps.objects.get(self._snapshot.subscribers)
            self._subscribers = await asyncio.to_thread(content.splitlines)
        queued = await self._deps.queue.queued(self._run_id, wave)
        self._to_queue = deque(no for no in self._progress.unsettled() if no not in queued)
        self._wave = wave
        self._suspects = set()
        self._plan_audit()

    async def _audit(self, wave: int) -> None:
        """Look for lost jobs.

        A job may be gone because its result is still in flight, so a job is lost only if two audits miss it.
        """
        self._plan_audit()
        await self._deps.queue.open(self._run_id)
        if self._progress.outstanding <= await self._deps.queue.count(self._run_id) and not self._suspects:
            return
        queued = await self._deps.queue.queued(self._run_id, wave)
        missing = {no for no in self._progress.unsettled() if no not in queued}
        lost = sorted(missing & self._suspects)
        self._suspects = missing
        if lost:
            log.warning("lost jobs are queued again", run_id=str(self._run_id), wave=wave, jobs=len(lost))
            self._to_queue.extend(lost)

    def _plan_audit(self) -> None:
        self._audit_at = asyncio.get_running_loop().time() + self._deps.pace.audit_s

    def _subscriber(self, no: int) -> RunSubscriber:
        # These are for reports: the dial role and its events do without them.
        subscriber = RunSubscriber.model_validate_json(self._subscribers[no])
        without: dict[str, Any] = {"attributes": {}, "consent": None, "household": None, "household_no": None}
        return subscriber.model_copy(update=without)

    def _job(self, wave: int, subscriber: RunSubscriber) -> DialJob | None:
        """Return the job of a subscriber; None if the subscriber is not called for want of a time zone."""
        snapshot = self._snapshot
        local = snapshot.settings.local_time
        found = subscriber_zones(local, subscriber.time_zone, subscriber.zones)
        zones = call_zones(local, found, snapshot.zones, snapshot.time_zone)
        if zones is None:
            return None
        return DialJob(
            run_id=self._run_id,
            wave=wave,
            subscriber=subscriber.model_copy(update={"zones": []}),
            settings=snapshot.settings,
            time_zone=snapshot.time_zone,
            zones=[] if zones == [snapshot.time_zone] else zones,
            prompt=snapshot.prompt,
            priority=snapshot.priority,
            expires_at=snapshot.expires_at,
            caller_id=snapshot.caller_id,
            exclusions=snapshot.exclusions,
            opt_out_prompt=None if snapshot.opt_out is None else snapshot.opt_out.prompt,
            task_id=snapshot.task_id,
            test=snapshot.test,
            ignore_contact_limits=snapshot.ignore_contact_limits,
        )
