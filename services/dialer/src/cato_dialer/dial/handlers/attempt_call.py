"""Make one call to one number through one station, from its first recorded event to its last."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cato_contracts.api.stations import StationFailure
from cato_contracts.errors import BrokerError, CatoError
from cato_contracts.instants import from_unix_ms
from cato_contracts.messages.jobs import DialJob
from cato_dialer.dial.domain.call.line_events import ReleaseCause
from cato_dialer.dial.domain.call.outcome import (
    STATION_DOWN,
    may_mean_station_down,
    worth_another_station,
)
from cato_dialer.dial.domain.call.rules import CallRules
from cato_dialer.dial.domain.call.state import Publish
from cato_dialer.dial.domain.permission.pacing import AHEAD
from cato_dialer.dial.domain.subscriber.fault_limits import UNSENT_LIMIT
from cato_dialer.dial.domain.subscriber.next_attempt import Dial
from cato_dialer.dial.domain.subscriber.takeover import TakeoverRule
from cato_dialer.dial.handlers.call_recorder import CallRecord, CallRecorder
from cato_dialer.dial.handlers.contacts.job_contacts import JobContacts
from cato_dialer.dial.handlers.contacts.number_claims import LimitReachedError, NumberClaim
from cato_dialer.dial.handlers.deps import SETTLED_S, Deps
from cato_dialer.dial.handlers.drive_call import CallDriver
from cato_dialer.dial.ports.dial import Channel, StartSlot
from cato_dialer.dial.ports.pacing import HeldBackError
from cato_dialer.dial.ports.trunk import CallOrder
from cato_runtime import tracing

_RECORD_AHEAD = timedelta(milliseconds=80)
"""A call that waits for its start slot is recorded this much earlier, so that it can start on time."""
_PLACE_AHEAD = timedelta(milliseconds=50)
"""And placed this much earlier: the trunk keeps the time of an order better than the dialer does."""
_ORDER_VALID = timedelta(seconds=2)
"""How long an order without a slot is valid. The trunk compares it with the clock right before it sends."""
_LINE_WAIT_S = 5.0
"""How long a call that is on record waits for a line, after the trunk could not send its order."""
_START_WITHIN = timedelta(seconds=10)
"""How long after its first start slot a call may still be placed: its latest end is on record."""


@dataclass(frozen=True, slots=True)
class CallAudio:
    """The files that a call may play; `after_opt_out` is None if none is played then."""

    prompt: Path
    after_opt_out: Path | None = None


class NotSentError(CatoError):
    """The trunk has taken the call's order several times without sending the request."""


class CallAttempt:
    """The call of a `Dial` step.

    `permitted` tells whether it may be made at a given time, before and after it is on record.
    """

    def __init__(
        self,
        deps: Deps,
        job: DialJob,
        step: Dial,
        channel: Channel,
        recorder: CallRecorder,
        *,
        contacts: JobContacts,
        permitted: Callable[[datetime, bool], bool],
    ) -> None:
        self._deps = deps
        self._job = job
        self._step = step
        self._channel = channel
        self._number = job.subscriber.phones[step.phone_index]
        self._station = deps.station(channel.station_id)
        self._rules = CallRules.of(
            job.settings,
            job.prompt.duration_ms,
            station_setup_s=self._station.max_setup_delay_s,
            station_answer_s=self._station.max_answer_delay_s,
            announces=job.opt_out_prompt is not None,
        )
        self._recorder = recorder
        self._contacts = contacts
        self._claim: NumberClaim | None = None
        self._sent_by: datetime | None = None
        self._permitted = permitted
        self._recorded = False
        self._hung_up = False
        self._start_by: datetime = datetime.max.replace(tzinfo=UTC)
        self._driver: CallDriver | None = None
        self._freezes = 0

    def hang_up(self) -> None:
        """End the call, or do not begin it."""
        self._hung_up = True
        if self._driver is not None:
            self._driver.hang_up()

    async def make(self, audio: CallAudio) -> None:
        """Make the call and return when it is over; do nothing if it is no longer permitted.

        An order that the trunk did not send is placed again: that is still the same call.

        Raises:
            FencedError: if another replica works on the subscriber; no call is up then.
            NotSentError: if the order could not be sent several times; the call's record has its end then.
            HeldBackError: if a rule allows no start soon; a call that is on record has its end then.
            LimitReachedError: if the number has had its calls; the same.
            BrokerError: if no start slot can be reserved, or the number cannot be claimed; the same.

        """
        try:
            await self._make(audio)
        except Exception:
            self._release_number()
            raise
        self._release_number()

    def _release_number(self) -> None:
        # Not when this process ends: the call may be up, and is over for others on the usual proof.
        if self._claim is not None:
            self._claim.release(self._sent_by)

    async def _make(self, audio: CallAudio) -> None:
        slot = await self._deps.paced.reserve_start(self._number, self._station.id)
        await self._until(slot.at - _RECORD_AHEAD)
        async with self._deps.setups:
            record = await self._begin(slot)
        if record is None:
            return
        await self._place_until_sent(slot, record, audio)
        if self._recorder.fenced:
            await self._recorder.flushed()

    async def _begin(self, slot: StartSlot) -> CallRecord | None:
        """Record that the call begins; None if it may not be made now."""
        if not self._permitted_in(slot) or self._deps.resting_until(self._station.id) is not None:
            return None
        self._start_by = max(self._deps.clock.now(), slot.until or slot.at) + _START_WITHIN
        ends_by = self._start_by + timedelta(milliseconds=self._rules.longest_ms)
        if self._deps.takeover is TakeoverRule.SAFE and not await self._channel.keep_until(ends_by):
            return None
        record = self._recorder.new_call(self._step, self._station.id, delayed=slot.delayed)
        self._claim = self._contacts.begin(
            self._step.phone_index, record.call_id, start_by=self._start_by, ends_by=ends_by
        )
        if self._claim is not None and self._contacts.claims_first:
            await self._claim.won()
        record.started(self._deps.incarnations.own, ends_by)
        self._recorded = True
        # The call is in the log before it exists, so a replica that takes over knows of it.
        self._freezes = self._deps.freezes.count()
        await self._recorder.flushed()
        if self._claim is not None:
            try:
                await self._claim.won()
            except (HeldBackError, LimitReachedError, BrokerError):
                record.cancelled()
                raise
        return record

    async def _place_until_sent(self, slot: StartSlot, record: CallRecord, audio: CallAudio) -> None:
        not_sent = 0
        while (cause := await self._place_at(slot, record, audio)) is not None:
            # A slot of a station with a minimum interval can be missed often: the time for it is short.
            if cause is ReleaseCause.NOT_SENT or slot.until is None:
                not_sent += 1
                if not_sent == UNSENT_LIMIT:
                    record.cancelled()
                    raise NotSentError(f"the order of call {record.call_id} was not sent {not_sent} times")
            if cause is ReleaseCause.NOT_SENT and not await self._line_free():
                record.cancelled()
                return
            try:
                await self._prove_hold()
                # The call is on record: given up, it would be recorded again, and could miss each slot.
                within = max(AHEAD, self._start_by - self._deps.clock.now())
                slot = await self._deps.paced.reserve_start(self._number, self._station.id, within=within)
            except (BrokerError, HeldBackError):
                record.cancelled()
                return

    async def _place_at(self, slot: StartSlot, record: CallRecord, audio: CallAudio) -> ReleaseCause | None:
        """Make the call in its slot; return why its request was not sent, None if the call is over."""
        await self._until(slot.at - _PLACE_AHEAD)
        # Read before the check: if this process stands still in between, the call is not sent any more.
        listed_until = self._deps.exclusions.usable_until()
        if (
            listed_until is None
            or not self._permitted_in(slot)
            or max(self._deps.clock.now(), slot.at) > self._start_by
        ):
            record.cancelled()
            return None
        if self._frozen or (slot.until is not None and self._deps.clock.now() > slot.until):
            return ReleaseCause.MISSED
        return await self._drive(slot, record, audio, listed_until)

    @property
    def _frozen(self) -> bool:
        """Tell whether this process stood still since we have last proved that the job is ours."""
        return self._deps.freezes.count() != self._freezes

    async def _prove_hold(self) -> None:
        """Check after a freeze that no other replica has taken the job over.

        Raises: FencedError, BrokerError.
        """
        while self._frozen:
            self._freezes = self._deps.freezes.count()
            await asyncio.sleep(SETTLED_S)
            await self._recorder.prove_hold()

    def _permitted_in(self, slot: StartSlot) -> bool:
        """Tell whether the call may be made at any time of its slot: we are early, the trunk may be late."""
        if self._hung_up:
            return False
        first = max(self._deps.clock.now(), slot.at)
        last = max(first, slot.until) if slot.until is not None else first
        return self._permitted(first, self._recorded) and self._permitted(last, self._recorded)

    async def _drive(
        self, slot: StartSlot, record: CallRecord, audio: CallAudio, listed_until: datetime
    ) -> ReleaseCause | None:
        rules = self._rules
        not_after = slot.until or min(self._deps.clock.now() + _ORDER_VALID, self._start_by)
        not_after = min(not_after, listed_until)
        self._deps.exclusions.ordered(self._job, self._step.phone_index, not_after)
        order = CallOrder(
            call_id=record.call_id,
            station=self._station.calling_as(self._job.caller_id),
            number=self._station.dialled(record.number),
            audio=audio.prompt,
            heard_threshold_ms=rules.report_heard_at_ms,
            not_before=slot.at if slot.until is not None else None,
            not_after=not_after,
        )
        self._sent_by = not_after
        line = self._deps.trunk.place(order)
        began = self._deps.clock.now()
        ends: list[Publish] = []

        def publish(effect: Publish) -> None:
            if self._deps.await_stations and may_mean_station_down(effect.reason, effect.sip_code):
                ends.append(effect)
            else:
                record.publish(effect, line.sip_call_id)

        driver = CallDriver(
            line,
            rules,
            self._deps.clock,
            publish=publish,
            succeed=record.succeed,
            announcement=audio.after_opt_out,
        )
        self._driver = driver
        self._recorder.on_fence(driver.hang_up)
        try:
            with tracing.span("call", call=record.call_id, station=self._station.name) as span:
                await driver.run()
                span.note(sip_call_id=line.sip_call_id, reason=driver.end and driver.end.reason)
        except Exception:
            # Without its driver the call is not recorded any more, so it must not stay up.
            await line.hang_up()
            raise
        finally:
            self._driver = None
            self._recorder.on_fence(None)
        if driver.unsent is not None:
            self._sent_by = None
        for end in ends:
            responds = await self._deps.watch.responds(self._station.id, began)
            record.publish(end if responds else replace(end, reason=STATION_DOWN), line.sip_call_id)
        self._tell_watch(driver)
        await line.gone()
        return driver.unsent

    def _tell_watch(self, driver: CallDriver) -> None:
        watch, station_id = self._deps.watch, self._station.id
        if driver.heard_of_station:
            watch.answered(station_id)
        elif driver.unsent is None:
            watch.unanswered(station_id)
        end = driver.end
        if end is not None and end.reason is not None and worth_another_station(end.reason):
            failure = StationFailure(
                at=from_unix_ms(end.at), reason=end.reason, sip_code=end.sip_code, text=driver.phrase
            )
            watch.failed(station_id, failure)
        if driver.released is not None:
            released = driver.released
            self._deps.let_rest(self._station, released.sip_code, released.retry_after_s)
            if released.rtp_sent:
                for observer in self._deps.observers:
                    observer.note_audio(station_id, released.rtp_sent, released.rtp_lost)

    async def _line_free(self) -> bool:
        """Wait for a line of the trunk; return False if none was free in time."""
        if self._deps.trunk.has_free_line:
            return True
        try:
            async with asyncio.timeout(_LINE_WAIT_S):
                await self._deps.trunk.line_free()
        except TimeoutError:
            return False
        return True

    async def _until(self, moment: datetime) -> None:
        delay = (moment - self._deps.clock.now()).total_seconds()
        if delay > 0:
            await asyncio.sleep(delay)
