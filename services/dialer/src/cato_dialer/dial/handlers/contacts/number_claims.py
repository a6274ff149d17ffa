"""Claim numbers for calls, so that at most one call is up to each of them over all runs and replicas.

The claim is in the record of the number, written on the condition that nothing else was. It stands before
the INVITE can leave, and is released when the call is over. The claim of a process that does not answer is
over on the same proof as its call.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from uuid import UUID

import structlog

from cato_contracts.errors import BrokerError, CatoError
from cato_contracts.messages.calls import CallOwner
from cato_contracts.messages.jobs import DialJob
from cato_contracts.subjects import dial_job
from cato_dialer.contacts import (
    AppliedLimits,
    Claim,
    LimitReached,
    NumberRecord,
    Wait,
    contact_decision,
)
from cato_dialer.dial.domain.permission.pacing import HeldJobs
from cato_dialer.dial.domain.subscriber.takeover import OwnerAnswer, TakeoverRule, is_over
from cato_dialer.dial.ports.contacts import Contacts, RecordMovedError, StoredRecord
from cato_dialer.dial.ports.dial import Incarnations
from cato_dialer.dial.ports.pacing import HeldBackError
from cato_runtime.clock import Clock
from cato_runtime.process.tasks import end_tasks

log = structlog.get_logger()

AskOwner = Callable[[str, CallOwner | None], Awaitable[OwnerAnswer]]

_TRIES = 5
_UP_DELAY_S = 2.0
"""How long a job rests before it is checked again whether the call to its number is over."""
_LONGEST_DELAY_S = 600.0
"""The same for a job that waits for a gap: limits may be changed meanwhile."""
_RELEASE_WAIT_S = 2.0
_FIRST_RETRY_S = 0.2
_LAST_RETRY_S = 5.0
_MOST_WAITING = 1_000


class LimitReachedError(CatoError):
    """The number has had as many calls as a limit allows."""


async def _nobody_answers(_job: str, _owner: CallOwner | None) -> OwnerAnswer:
    return OwnerAnswer.SILENCE


class NumberClaims:
    """The claims of one replica. `ask_owner` asks the replicas for an open call, by the key of its job."""

    def __init__(
        self, contacts: Contacts, incarnations: Incarnations, clock: Clock, takeover: TakeoverRule
    ) -> None:
        self.contacts = contacts
        self.ask_owner: AskOwner = _nobody_answers
        self._incarnations = incarnations
        self._clock = clock
        self._takeover = takeover
        self._held: dict[str, UUID] = {}
        self._releases: dict[str, asyncio.Task[None]] = {}
        self._writes: set[asyncio.Task[StoredRecord]] = set()
        self._waiting: dict[str, HeldJobs] = {}

    async def open(self) -> None:
        """Read the limits. Raises BrokerError."""
        await self.contacts.open()

    async def close(self) -> None:
        """Wait for a moment until claims are released; those that are left are over when this process is."""
        if self._releases:
            await asyncio.wait(self._releases.values(), timeout=_RELEASE_WAIT_S)
        await end_tasks(*self._releases.values(), *self._writes)
        await self.contacts.close()

    def concern(self, job: DialJob) -> bool:
        """Tell whether the numbers of a job are claimed."""
        return self.contacts.one_call_per_number or bool(self.contacts.limits_for(job))

    async def check_here(self, number: str) -> None:
        """Raise HeldBackError if this replica has a call up to the number, or about to be."""
        key = self.contacts.canonical(number)
        if (release := self._releases.get(key)) is not None:
            await asyncio.wait((release,), timeout=_RELEASE_WAIT_S)
        if key in self._held:
            raise HeldBackError(self._delay_s(key))

    async def check(self, job: DialJob, number: str) -> StoredRecord:
        """Return the record of a number that may be called now, to be claimed on top of its revision.

        Raises:
            HeldBackError: if a call to the number is up, or may be, or a gap has not passed.
            LimitReachedError: if the number has had its calls.
            BrokerError: if the broker does not answer.

        """
        stored = await self.contacts.read(number)
        record, claim = stored.record, stored.record.claim
        if claim is not None:
            key = self.contacts.canonical(number)
            if key in self._held or not await self._is_over(claim):
                raise HeldBackError(self._delay_s(key))
            log.info("claim of a lost call is over", call_id=str(claim.call_id), owner=claim.owner.instance)
            record = record.lost(self._clock.now())
        self._decide(job, record)
        return StoredRecord(record, stored.revision)

    def begin(
        self,
        job: DialJob,
        number: str,
        call_id: UUID,
        *,
        start_by: datetime,
        ends_by: datetime,
        known: StoredRecord | None,
    ) -> "NumberClaim":
        """Begin to claim a number, on top of the record that `check` has returned, if it was asked.

        Raises:
            HeldBackError: if another call of this replica has the number.

        """
        key = self.contacts.canonical(number)
        if key in self._held:
            raise HeldBackError(self._delay_s(key))
        claim = Claim(
            call_id=call_id,
            job=dial_job(job.run_id, job.wave, job.subscriber.no),
            owner=self._incarnations.own,
            start_by=start_by,
            ends_by=ends_by,
            user_id=job.user_id,
            task_id=job.task_id,
            counted=not job.test,
        )
        self._held[key] = call_id
        writing = asyncio.create_task(self._take(job, number, claim, known or StoredRecord()))
        self._writes.add(writing)
        writing.add_done_callback(self._written)
        return NumberClaim(self, job, number, claim, writing=writing)

    def _written(self, writing: "asyncio.Task[StoredRecord]") -> None:
        self._writes.discard(writing)
        if not writing.cancelled():
            writing.exception()  # it is raised where the claim is awaited, unless the call has failed before

    async def _take(self, job: DialJob, number: str, claim: Claim, stored: StoredRecord) -> StoredRecord:
        """Write a claim. Raises: HeldBackError, LimitReachedError, BrokerError."""
        contacts = self.contacts
        for _ in range(_TRIES):
            if stored.record.claim is not None:
                # Whether it is over is checked when the job comes again, and no channel is held.
                raise HeldBackError(self._delay_s(contacts.canonical(number)))
            self._decide(job, stored.record)
            record = stored.record.claimed(claim)
            keep = max(claim.ends_by - self._clock.now(), contacts.kept_for(job))
            try:
                revision = await contacts.write(number, record, after=stored.revision, keep=keep)
            except RecordMovedError:
                stored = await contacts.read(number)
            else:
                return StoredRecord(record, revision)
        raise HeldBackError(_UP_DELAY_S)

    def dropped(self, held: "NumberClaim") -> None:
        """Forget a claim that was refused, or is released."""
        key = self.contacts.canonical(held.number)
        if self._held.get(key) == held.claim.call_id:
            del self._held[key]

    def release(self, held: "NumberClaim", sent_by: datetime | None) -> None:
        """Release a claim in the background."""
        key, over = self.contacts.canonical(held.number), self._clock.now()

        async def release() -> None:
            try:
                await self._release(held, sent_by, over)
            except Exception:
                log.exception("claim of a number is left to expire", call_id=str(held.claim.call_id))
            finally:
                self.dropped(held)
                del self._releases[key]

        self._releases[key] = asyncio.create_task(release())

    async def _release(self, held: "NumberClaim", sent_by: datetime | None, over: datetime) -> None:
        retry_s = _FIRST_RETRY_S
        stored = await held.written()
        while True:
            try:
                stored = stored or await self.contacts.read(held.number)
                if stored.record.claim != held.claim:
                    return  # it was never written, or others have proof that the call is over
                await self._write_released(held, stored, sent_by, over)
            except RecordMovedError:
                stored = None
            except BrokerError as error:
                if self._clock.now() > held.claim.ends_by:
                    return  # it is over for others, too
                log.warning("claim of a number cannot be released yet", error=str(error), retry_s=retry_s)
                stored = None
                await asyncio.sleep(retry_s)
                retry_s = min(2 * retry_s, _LAST_RETRY_S)
            else:
                return

    async def _write_released(
        self, held: "NumberClaim", stored: StoredRecord, sent_by: datetime | None, over: datetime
    ) -> None:
        record, keep = NumberRecord(), self.contacts.kept_for(held.job)
        if keep:
            record = stored.record.released(sent_by=sent_by, over=over).since(over - keep)
        await self.contacts.write(held.number, record, after=stored.revision, keep=keep)

    def _limits(self, job: DialJob) -> Sequence[AppliedLimits]:
        unlimited = job.test or job.ignore_contact_limits
        return () if unlimited else self.contacts.limits_for(job)

    def _decide(self, job: DialJob, record: NumberRecord) -> None:
        now = self._clock.now()
        match contact_decision(record, self._limits(job), job.task_id, now):
            case Wait(until):
                raise HeldBackError(min((until - now).total_seconds(), _LONGEST_DELAY_S))
            case LimitReached():
                raise LimitReachedError("the number has had as many calls as a limit allows")

    async def _is_over(self, claim: Claim) -> bool:
        own, owner = self._incarnations.own, claim.owner
        if owner.instance == own.instance:
            # This process has no call to the number, and an earlier one of its name has none any more.
            return True
        newest = await self._incarnations.newest(owner.instance)
        restarted = newest > owner.incarnation
        answer = OwnerAnswer.SILENCE if restarted else await self.ask_owner(claim.job, owner)
        now = self._clock.now()
        return is_over(claim, answer, newest_incarnation=newest, now=now, rule=self._takeover)

    def _delay_s(self, key: str) -> float:
        """Return for how long one more job waits for a number; each further one waits longer."""
        now = asyncio.get_running_loop().time()
        if len(self._waiting) >= _MOST_WAITING:
            self._waiting = {at: held for at, held in self._waiting.items() if max(held.returns) > now}
        return self._waiting.setdefault(key, HeldJobs()).hold(now, first_s=_UP_DELAY_S)


class NumberClaim:
    """The claim of one call on its number. Made by `NumberClaims.begin`, which has begun to write it."""

    def __init__(
        self,
        claims: NumberClaims,
        job: DialJob,
        number: str,
        claim: Claim,
        *,
        writing: "asyncio.Task[StoredRecord]",
    ) -> None:
        self.job = job
        self.number = number
        self.claim = claim
        self._claims = claims
        self._writing = writing

    async def won(self) -> None:
        """Return once the number is claimed.

        Raises:
            HeldBackError: if another call has the number, or a gap has not passed.
            LimitReachedError: if the number has had its calls.
            BrokerError: if it is unknown whether the number is claimed.

        """
        await asyncio.wait((self._writing,))
        self._writing.result()

    async def written(self) -> StoredRecord | None:
        """Return the record as it was written, None if that is unknown."""
        await asyncio.wait((self._writing,))
        failed = self._writing.cancelled() or self._writing.exception() is not None
        return None if failed else self._writing.result()

    def release(self, sent_by: datetime | None) -> None:
        """Release the number; its request was sent by then at the latest, None: never."""
        if self._writing.done() and _refused(self._writing):
            self._claims.dropped(self)
        else:
            self._claims.release(self, sent_by)


def _refused(writing: "asyncio.Task[StoredRecord]") -> bool:
    error = None if writing.cancelled() else writing.exception()
    return isinstance(error, HeldBackError | LimitReachedError)
