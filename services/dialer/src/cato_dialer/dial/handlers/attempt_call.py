"""One call to one number through one station, from its record's first event to its last."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from cato_contracts.calls import CallEvent, CallEventKind
from cato_contracts.errors import BrokerError
from cato_contracts.ids import derived_id
from cato_contracts.jobs import DialJob
from cato_contracts.resources import Contact
from cato_contracts.runs import SubscriberResult
from cato_dialer.dial.domain.call.outcome import CANCELLED, Cause, classify
from cato_dialer.dial.domain.call.rules import CallRules
from cato_dialer.dial.domain.call.state import Publish, Succeed
from cato_dialer.dial.domain.subscriber.plan import Dial, PastCall
from cato_dialer.dial.handlers.call_recorder import SubscriberBook
from cato_dialer.dial.handlers.deps import DialDesk
from cato_dialer.dial.handlers.drive_call import CallDriver, unix_ms
from cato_dialer.dial.ports.dial import Channel, StartSlot
from cato_dialer.dial.ports.trunk import CallOrder

_RECORD_AHEAD = timedelta(milliseconds=80)
"""A call that waits for its time is recorded this much earlier, so that it can start on time."""
_PLACE_AHEAD = timedelta(milliseconds=50)
"""And placed this much earlier: the trunk is more punctual than we, once it knows."""


class CallAttempt:
    """The call of a `Dial` step; `permitted` says whether it may be made at a time."""

    def __init__(
        self,
        desk: DialDesk,
        job: DialJob,
        step: Dial,
        channel: Channel,
        permitted: Callable[[datetime], bool],
    ) -> None:
        self._desk = desk
        self._job = job
        self._step = step
        self._station = desk.station(channel.station_id)
        self._permitted = permitted
        self._call_id = derived_id(job.run_id, job.subscriber.no, job.wave, step.ordinal)
        self._number = job.subscriber.phones[step.phone_index]
        self._delayed = False
        self._next_seq = 0
        self._driver: CallDriver | None = None

    def hang_up(self) -> None:
        if self._driver is not None:
            self._driver.hang_up()

    async def make(self, book: SubscriberBook, audio: Path) -> None:
        """Make the call and return when it is over; do nothing if it is no longer permitted.

        Raises:
            FencedError: if somebody else works on the subscriber; no call is up then.
            BrokerError: if there is no start to be had.

        """
        slot = await self._desk.ledger.reserve_start(self._station.id)
        await self._until(slot.at - _RECORD_AHEAD)
        if not self._permitted_in(slot):
            return
        self._delayed = slot.delayed
        now = self._now_ms()
        self._note(book, Publish(CallEventKind.STARTED, now))
        self._note(book, Publish(CallEventKind.STATION_CHOSEN, now))
        # Whoever takes over must know of this call before it exists.
        await book.flushed()
        while await self._drive_at(slot, book, audio):
            try:
                slot = await self._desk.ledger.reserve_start(self._station.id)
            except BrokerError:
                self._note_cancelled(book)
                break
        if book.fenced.is_set():
            await book.flushed()

    async def _drive_at(self, slot: StartSlot, book: SubscriberBook, audio: Path) -> bool:
        """Make the call in its slot; tell whether that was missed, and another one is needed."""
        await self._until(slot.at - _PLACE_AHEAD)
        if not self._permitted_in(slot):
            self._note_cancelled(book)
            return False
        if slot.until is not None and self._desk.clock.now() > slot.until:
            return True
        return await self._drive(slot, book, audio)

    def _permitted_in(self, slot: StartSlot) -> bool:
        """Tell whether the call may be made wherever in its slot: we are early, the trunk may be late."""
        first = max(self._desk.clock.now(), slot.at)
        last = max(first, slot.until) if slot.until is not None else first
        return self._permitted(first) and self._permitted(last)

    async def _drive(self, slot: StartSlot, book: SubscriberBook, audio: Path) -> bool:
        rules = CallRules.of(
            self._job.settings,
            self._job.prompt.duration_ms,
            station_setup_s=self._station.max_setup_delay_s,
            station_answer_s=self._station.max_answer_delay_s,
        )
        order = CallOrder(
            call_id=self._call_id,
            station=self._station,
            number=self._station.dialled(self._number),
            audio=audio,
            heard_threshold_ms=rules.report_heard_at_ms,
            not_before=slot.at if slot.until is not None else None,
            not_after=slot.until,
        )
        line = self._desk.trunk.place(order)
        driver = CallDriver(
            line,
            rules,
            self._desk.clock,
            publish=lambda effect: self._note(book, effect),
            succeed=lambda effect: book.note_result(self._success(effect), effect.at),
        )
        self._driver = driver
        guard = asyncio.create_task(_hang_up_when_fenced(book, driver))
        try:
            await driver.run()
        except Exception:
            # Nobody follows this call any more, so nobody may be left listening to it.
            await line.hang_up()
            raise
        finally:
            self._driver = None
            guard.cancel()
        if driver.heard_of_station:
            self._desk.watch.answered(self._station.id)
        elif not driver.missed:
            self._desk.watch.unanswered(self._station.id)
        return driver.missed

    async def _until(self, moment: datetime) -> None:
        delay = (moment - self._desk.clock.now()).total_seconds()
        if delay > 0:
            await asyncio.sleep(delay)

    def _note(self, book: SubscriberBook, effect: Publish) -> None:
        chosen = effect.kind is not CallEventKind.STARTED
        event = CallEvent(
            run_id=self._job.run_id,
            no=self._job.subscriber.no,
            wave=self._job.wave,
            call_id=self._call_id,
            seq=self._next_seq,
            kind=effect.kind,
            number=self._number,
            phone_index=self._step.phone_index,
            station_id=self._station.id if chosen else None,
            delayed=self._delayed and chosen,
            contact=None if chosen else self._contact(),
            digit=effect.digit,
            sip_code=effect.sip_code,
            reason_phrase=effect.reason_phrase,
            reason=effect.reason,
            heard_ms=effect.heard_ms,
            success=effect.success,
        )
        self._next_seq += 1
        book.note_event(event, effect.at)
        self._desk.observer.note(event, effect.at)

    def _contact(self) -> Contact:
        person = self._job.subscriber
        return Contact(full_name=person.full_name, phones=person.phones, emails=person.emails, id=person.id)

    def _note_cancelled(self, book: SubscriberBook) -> None:
        self._note(book, Publish(CallEventKind.ENDED, self._now_ms(), reason=CANCELLED, heard_ms=0))

    def _success(self, effect: Succeed) -> SubscriberResult:
        return SubscriberResult(
            run_id=self._job.run_id,
            no=self._job.subscriber.no,
            wave=self._job.wave,
            notified=True,
            reason=effect.reason,
            call_id=self._call_id,
            number=self._number,
        )

    def _now_ms(self) -> int:
        return unix_ms(self._desk.clock.now())


def interruption(job: DialJob, call: PastCall, result: SubscriberResult | None, success: bool) -> CallEvent:
    """Return the end of a call whose owner is gone; how much was heard of it is not known."""
    reason = result.reason if success and result is not None else classify(Cause.FAULT).reason
    return CallEvent(
        run_id=job.run_id,
        no=job.subscriber.no,
        wave=call.wave,
        call_id=call.call_id,
        seq=call.next_seq,
        kind=CallEventKind.INTERRUPTED,
        number=call.number,
        phone_index=call.phone_index,
        station_id=call.station_id,
        delayed=call.delayed,
        sip_code=200 if call.answered else None,
        reason=reason,
        success=success,
    )


async def _hang_up_when_fenced(book: SubscriberBook, driver: CallDriver) -> None:
    await book.fenced.wait()
    driver.hang_up()
