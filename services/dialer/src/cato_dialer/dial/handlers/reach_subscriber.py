"""Work one job: reach one subscriber in one wave."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import structlog

from cato_contracts.api.reasons import Reason
from cato_contracts.errors import BrokerError
from cato_contracts.messages.calls import CallOwner
from cato_contracts.messages.jobs import DialJob
from cato_dialer.dial.domain.subscriber.call_gate import CallGate, Defer, Discard, Fail, Refusal
from cato_dialer.dial.domain.subscriber.fault_limits import FAULT
from cato_dialer.dial.domain.subscriber.next_attempt import (
    Conclude,
    Dial,
    Finished,
    Interrupt,
    next_attempt,
)
from cato_dialer.dial.domain.subscriber.past_call import PastCall
from cato_dialer.dial.domain.subscriber.takeover import OwnerAnswer, is_over, was_restarted
from cato_dialer.dial.handlers.attempt_call import CallAttempt, CallAudio, NotSentError
from cato_dialer.dial.handlers.call_recorder import CallRecorder
from cato_dialer.dial.handlers.contacts.job_contacts import JobContacts
from cato_dialer.dial.handlers.contacts.number_claims import LimitReachedError
from cato_dialer.dial.handlers.deps import Deps
from cato_dialer.dial.handlers.sendable_stations import SendableStations
from cato_dialer.dial.handlers.verdict import AwaitEnd, Done, GiveBack, LeaveAlone, Verdict
from cato_dialer.dial.ports.dial import Channel, FencedError, PromptMissingError
from cato_dialer.dial.ports.pacing import HeldBackError

log = structlog.get_logger()

PROMPT_MISSING = Reason.PROMPT_MISSING

_NO_STATION_DELAY_S = 30.0
_BROKER_DELAY_S = 5.0
_LINE_WAIT_S = 10.0
"""How long a subscriber waits for a line here before the job goes to another replica."""
_NO_LINE_DELAY_S = 0.5
_LISTS_DELAY_S = 1.0
"""How long a run rests while the exclusion lists are not known to be up to date."""
_PROOF_DELAY_S = 2.0
"""How long a job rests before it is checked again whether the call of another process is over."""

AskOwner = Callable[[CallOwner | None], Awaitable[OwnerAnswer]]
"""Asks the replicas for the open call of the job."""


class SubscriberWorker:
    """Works one job. At most one call is up at any time."""

    def __init__(self, deps: Deps, job: DialJob, ask_owner: AskOwner, *, redelivered: bool = False) -> None:
        self._deps = deps
        self._job = job
        self._gate = CallGate(job)
        phones, skip = len(job.subscriber.phones), job.settings.skip_hopeless
        self._next_attempt = partial(next_attempt, job.wave, phones, skip_hopeless=skip)
        self._ask_owner = ask_owner
        self._attempt: CallAttempt | None = None
        self._recorder: CallRecorder | None = None
        self._sendable = SendableStations(phones)
        self._contacts = JobContacts(deps, job, redelivered=redelivered)
        self._waited = False
        self._redelivered = redelivered
        self._closing = False
        self._giving_up = False
        self._nudged = asyncio.Event()

    @property
    def job(self) -> DialJob:
        return self._job

    @property
    def _log(self) -> Any:
        # Bound when it is needed: most jobs have nothing to say.
        job = self._job
        return log.bind(run_id=str(job.run_id), subscriber=job.subscriber.no, wave=job.wave)

    @property
    def on_call(self) -> bool:
        """Tell whether a call is up, or about to be, or not completely in the log yet."""
        return self._attempt is not None or (self._recorder is not None and self._recorder.unwritten)

    def hang_up(self) -> None:
        """End the call that is up."""
        if self._attempt is not None:
            self._attempt.hang_up()

    def close(self) -> None:
        """Start no more calls."""
        self._closing = True
        self._nudged.set()

    def nudge(self) -> None:
        """Check again whether a call is allowed, and through which stations."""
        self._nudged.set()

    async def prove_hold(self) -> None:
        """Hang up if another replica has taken the job over, as after a freeze of this process."""
        if self._attempt is None or self._recorder is None:
            return
        try:
            await self._recorder.prove_hold()
        except FencedError:
            self._log.warning("subscriber was taken over by another replica during a freeze")
        except BrokerError as error:
            self._log.warning("job cannot be checked after a freeze", error=str(error))

    async def work(self) -> Verdict:
        """Take all remaining steps, and return how the job ends.

        Raises:
            BrokerError: if the log cannot be read.

        """
        deps, job = self._deps, self._job
        seen = await deps.journal.read(job.run_id, job.subscriber.no)
        async with CallRecorder(
            deps.journal, deps.observers, deps.clock, job, seen, unsent=deps.unsent
        ) as recorder:
            self._recorder = recorder
            try:
                verdict = await self._work(recorder)
                await recorder.flushed()
            except FencedError:
                self._log.warning("subscriber was taken over by another replica")
                return LeaveAlone()
        return verdict

    async def give_up(self) -> Verdict:
        """Make no more calls in this wave: a subscriber without a result has failed.

        Raises:
            BrokerError: if the log cannot be read.

        """
        self._giving_up = True
        return await self.work()

    async def _work(self, recorder: CallRecorder) -> Verdict:
        verdict: Verdict | None = None
        while verdict is None:
            # Cleared before anything is checked: a change from here on is checked in the next round.
            self._nudged.clear()
            step = self._next_attempt(
                self._deps.by_priority(),
                recorder.calls,
                recorder.result,
                excluded=self._deps.exclusions.excluded(self._job),
                limited=self._contacts.limited,
            )
            match step:
                case Finished():
                    verdict = Done()
                case Interrupt(call, success):
                    verdict = await self._unless_over(call)
                    if verdict is None:
                        # It fences the call's owner, or is rejected if the owner has written meanwhile.
                        recorder.interrupted(call, success=success)
                case Conclude(notified=True, reason=reason, call=PastCall() as call):
                    recorder.notified(reason, call.call_id, call.number)
                case Conclude(reason=reason, call=call):
                    recorder.failed(reason, call)
                case Dial() if self._giving_up:
                    recorder.failed(FAULT, recorder.last_call)
                case Dial():
                    verdict = await self._call(recorder, step)
        return verdict

    async def _unless_over(self, call: PastCall) -> Verdict | None:
        """Return how the job ends while the call may still be up; None if the call is over."""
        deps, owner = self._deps, call.owner
        newest = await deps.incarnations.newest(owner.instance) if owner else 0
        # The former life of a restarted process cannot answer.
        answer = OwnerAnswer.SILENCE if was_restarted(call, newest) else await self._ask_owner(owner)
        if is_over(call, answer, newest_incarnation=newest, now=deps.clock.now(), rule=deps.takeover):
            return None
        if answer is OwnerAnswer.UP:
            self._log.info("call is still up at another replica")
            return LeaveAlone()
        self._log.debug("call may still be up at a replica that does not answer", ends_by=str(call.ends_by))
        return AwaitEnd(_PROOF_DELAY_S)

    async def _call(self, recorder: CallRecorder, step: Dial) -> Verdict | None:
        """Make the call of the step, if it may be made now; None if the next step is to be decided."""
        if refusal := self._refusal(self._deps.clock.now()):
            return await self._refuse(recorder, refusal)
        if step.not_before is not None and (delay := step.not_before - self._deps.clock.now()) > timedelta():
            return GiveBack(delay.total_seconds())
        if not step.stations:
            self._log.error("no station has channels")
            return GiveBack(_NO_STATION_DELAY_S)
        sendable = self._sendable.step(step, self._deps.by_priority())
        if sendable is None:
            recorder.failed(FAULT, recorder.last_call)
            return None
        return await self._call_through(recorder, sendable)

    async def _call_through(self, recorder: CallRecorder, step: Dial) -> Verdict | None:
        """Make the call through one of the stations of the step that is neither down nor at rest."""
        usable = tuple(one for one in step.stations if not self._deps.await_station(one))
        awake = tuple(one for one in usable if self._deps.resting_until(one) is None)
        if awake:
            return await self._dial(recorder, replace(step, stations=awake))
        if usable:
            return self._await_rest(usable)
        trial = next((one for one in step.stations if self._deps.watch.take_trial(one)), None)
        if trial is not None:
            return await self._dial(recorder, replace(step, stations=(trial,)), trial=True)
        refusal = self._refusal(self._deps.clock.now(), no_station=True)
        return await self._refuse(recorder, refusal) if refusal else None

    def _refusal(self, at: datetime, *, no_station: bool = False, recorded: bool = False) -> Refusal | None:
        """Tell why no call may start at `at`. At a shutdown, one that is on record already may."""
        state = self._deps.run_states().get(self._job.run_id)
        closing = self._closing and not recorded
        refusal = self._gate.refusal(state, at, closing=closing, no_station=no_station)
        if refusal is None and self._deps.exclusions.usable_until() is None:
            return Defer(_LISTS_DELAY_S, whole_run=True)
        return refusal

    async def _refuse(self, recorder: CallRecorder, refusal: Refusal) -> Verdict:
        match refusal:
            case Defer(delay_s, whole_run):
                return GiveBack(delay_s, whole_run)
            case Fail() if self._waited and not await recorder.is_ours():
                # While we waited, the job was delivered to another replica, which may have a call up.
                self._log.warning("subscriber was taken over by another replica")
                return LeaveAlone()
            case Fail(reason, without_calls):
                call = recorder.last_call
                if call is not None:
                    recorder.failed(reason if call.interrupted else call.reason or reason, call)
                elif without_calls:
                    recorder.failed(reason)
                elif self._redelivered:
                    # The replica that had the job before may be cut off, with the start of a call on its way.
                    await recorder.reject_others()
            case Discard():
                pass
        return Done()

    async def _dial(self, recorder: CallRecorder, step: Dial, *, trial: bool = False) -> Verdict | None:
        """Make the call of the step, as a `trial` of a station that is down; None: decide the next step."""
        self._waited = True
        try:
            if not await self._contacts.may_call(step.phone_index, recorder.last_call):
                return None
            audio = await self._audio()
            if not await self._line_free():
                return None if self._nudged.is_set() else GiveBack(_NO_LINE_DELAY_S)
            channel = await self._channel(self._job.subscriber.phones[step.phone_index], step.stations)
            if channel is not None:
                await self._make(recorder, step, channel, audio, trial=trial)
        except PromptMissingError as error:
            self._log.error("prompt is missing", error=str(error))
            recorder.failed(PROMPT_MISSING)
        except HeldBackError as held:
            return GiveBack(held.delay_s)
        except LimitReachedError:
            self._contacts.reached(step.phone_index)
        except BrokerError as error:
            self._log.warning("no call can be made without the broker", error=str(error))
            return GiveBack(_BROKER_DELAY_S)
        return None

    async def _audio(self) -> CallAudio:
        """Raises: PromptMissingError, BrokerError."""
        prompts, more = self._deps.prompts, self._job.opt_out_prompt
        return CallAudio(
            await prompts.file(self._job.prompt), None if more is None else await prompts.file(more)
        )

    async def _make(
        self, recorder: CallRecorder, step: Dial, channel: Channel, audio: CallAudio, *, trial: bool
    ) -> None:
        """Raises: BrokerError, FencedError, HeldBackError, LimitReachedError."""
        station_id = channel.station_id
        try:
            self._attempt = CallAttempt(
                self._deps,
                self._job,
                step,
                channel,
                recorder,
                contacts=self._contacts,
                permitted=lambda at, recorded: (
                    step.phone_index not in self._deps.exclusions.excluded(self._job)
                    and self._refusal(at, recorded=recorded) is None
                    and (trial or not self._deps.await_station(station_id))
                ),
            )
            await self._attempt.make(audio)
        except NotSentError as error:
            self._sendable.pass_over(step.phone_index, station_id)
            self._log.error("call order cannot be sent", station=str(station_id), error=str(error))
        finally:
            self._attempt = None
            channel.release()

    def _await_rest(self, stations: Sequence[UUID]) -> Verdict:
        """Give the job back until the first of these stations, which all rest, may be called."""
        now = self._deps.clock.now()
        delay_s = (self._deps.rests.first_awake(stations, now) - now).total_seconds()
        return GiveBack(delay_s, whole_run=set(stations) >= set(self._deps.by_priority()))

    async def _line_free(self) -> bool:
        """Wait for a line of the trunk; False if none was free in time, or the worker was nudged.

        While it waits, no channel is held and no call is recorded: without a line there is no attempt.
        """
        if self._deps.trunk.has_free_line:
            return not self._nudged.is_set()
        try:
            async with asyncio.timeout(_LINE_WAIT_S):
                return await self._unless_nudged(self._deps.trunk.line_free())
        except TimeoutError:
            self._log.warning("no SIP worker can take a call")
            return False

    async def _channel(self, number: str, stations: Sequence[UUID]) -> Channel | None:
        """Wait for a channel of the first station that has one; None if nudged. Raises: HeldBackError."""
        paced, ordinary = self._deps.paced, self._deps.channels.licence.is_ordinary(self._job.priority)
        while (channel := paced.acquire(number, stations, ordinary=ordinary)) is None:
            if not await self._unless_nudged(paced.freed(number, stations, ordinary=ordinary)):
                return None
        return channel

    async def _unless_nudged(self, change: Coroutine[Any, Any, None]) -> bool:
        """Wait for `change` or for a nudge; tell whether there was no nudge."""
        changed = asyncio.ensure_future(change)
        nudged = asyncio.ensure_future(self._nudged.wait())
        try:
            await asyncio.wait((changed, nudged), return_when=asyncio.FIRST_COMPLETED)
        finally:
            changed.cancel()
            nudged.cancel()
        return not self._nudged.is_set()
