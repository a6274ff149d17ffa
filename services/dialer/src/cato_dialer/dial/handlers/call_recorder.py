"""Build every message about a subscriber's calls, and pass it to the log and to the observers."""

from collections.abc import Callable, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Self
from uuid import UUID

import structlog

from cato_contracts.api.resources import Contact
from cato_contracts.envelope import Envelope
from cato_contracts.ids import derived_id
from cato_contracts.instants import from_unix_ms, unix_ms
from cato_contracts.messages.calls import FINAL_KINDS, CallEvent, CallEventKind, CallOwner
from cato_contracts.messages.jobs import DialJob
from cato_contracts.messages.runs import SubscriberResult
from cato_dialer.dial.domain.call.outcome import CANCELLED, Cause, classify
from cato_dialer.dial.domain.call.state import Publish, Succeed
from cato_dialer.dial.domain.permission.retry import RetryDecision, attempts_at, retry_decision
from cato_dialer.dial.domain.subscriber.fault_limits import FAULT
from cato_dialer.dial.domain.subscriber.next_attempt import Dial
from cato_dialer.dial.domain.subscriber.past_call import PastCall, calls_of
from cato_dialer.dial.handlers.journal_writer import JournalWriter
from cato_dialer.dial.ports.dial import CallJournal, CallObserver, SubscriberLog
from cato_dialer.dial.ports.unsent import Unsent
from cato_runtime.clock import Clock

log = structlog.get_logger()

# Named once: looking up a parametrised class costs as much as a part of the message.
_CALL_ENVELOPE = Envelope[CallEvent]
_RESULT_ENVELOPE = Envelope[SubscriberResult]


class CallRecorder:
    """The messages of one job: events of its calls, and the result of its subscriber in its wave.

    Used as a context manager, for the writer that it has (see `JournalWriter`).
    """

    def __init__(
        self,
        journal: CallJournal,
        observers: Sequence[CallObserver],
        clock: Clock,
        job: DialJob,
        seen: SubscriberLog,
        *,
        unsent: Unsent | None = None,
    ) -> None:
        self._journal = journal
        self._writer = JournalWriter(journal, seen, unsent)
        self._observers = observers
        self._clock = clock
        self._job = job
        self._events = list(seen.events)
        self._result = seen.result

    @property
    def calls(self) -> tuple[PastCall, ...]:
        """All calls to the subscriber in this run, those of other replicas included."""
        return calls_of(self._events)

    @property
    def events(self) -> Sequence[CallEvent]:
        """The events of these calls."""
        return self._events

    @property
    def last_call(self) -> PastCall | None:
        """The last call of the job's wave."""
        of_wave = [call for call in self.calls if call.wave == self._job.wave]
        return of_wave[-1] if of_wave else None

    @property
    def result(self) -> SubscriberResult | None:
        return self._result

    @property
    def unwritten(self) -> bool:
        """Tell whether a message is not in the log yet."""
        return self._writer.unwritten

    @property
    def fenced(self) -> bool:
        """Tell whether another replica has written for the subscriber, or nothing can be written any more."""
        return self._writer.fenced

    def on_fence(self, act: Callable[[], None] | None) -> None:
        """Call `act` once the writer is fenced (see `JournalWriter.on_fence`)."""
        self._writer.on_fence(act)

    async def flushed(self) -> None:
        """Return once every message is in the log. Raises FencedError (see `JournalWriter.flushed`)."""
        await self._writer.flushed()

    async def prove_hold(self) -> None:
        """Return if no other replica has written for the subscriber until now; else the writer is fenced.

        Raises:
            FencedError: if another replica has.
            BrokerError: if the log cannot be read.

        """
        await self._writer.flushed()
        head = self._writer.head
        seen = await self._journal.read(self._job.run_id, self._job.subscriber.no)
        if self._writer.unwritten or self._writer.head != head:
            # Our own message since then is the proof: it is rejected if another replica has written.
            await self._writer.flushed()
        elif not self._writer.agrees_with(seen):
            self._writer.fence()
            await self._writer.flushed()

    async def is_ours(self) -> bool:
        """Tell whether the log ends with our own messages. Raises FencedError, BrokerError."""
        await self._writer.flushed()
        return self._writer.agrees_with(await self._journal.read(self._job.run_id, self._job.subscriber.no))

    async def reject_others(self) -> None:
        """Reject the start of a call that another replica may have on its way (see `JournalWriter`)."""
        await self._writer.reject_others(self._job.run_id, self._job.subscriber.no)

    def new_call(self, step: Dial, station_id: UUID, *, delayed: bool) -> "CallRecord":
        """Return the record of the call that `step` asks for; nothing is recorded yet."""
        job = self._job
        call_id = derived_id(job.run_id, job.subscriber.no, job.wave, step.ordinal)
        return CallRecord(self, call_id, job, step.phone_index, station_id, delayed=delayed)

    def interrupted(self, call: PastCall, *, success: bool) -> None:
        """Record the end of a call whose owner is gone. How much of the prompt was heard is unknown."""
        reason = self._result.reason if success and self._result else _reason_without_end(call)
        self.note(
            CallEvent(
                run_id=self._job.run_id,
                no=self._job.subscriber.no,
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
                sip_call_id=call.sip_call_id,
            ),
            unix_ms(self._clock.now()),
        )

    def failed(self, reason: str, call: PastCall | None = None) -> None:
        """Record that the subscriber was not notified in this wave; `call` decided it, if one did."""
        call_id, number = (call.call_id, call.number) if call else (None, None)
        self._note_result(reason, unix_ms(self._clock.now()), call_id, number, notified=False)

    def notified(self, reason: str, call_id: UUID, number: str, at: int | None = None) -> None:
        """Record that the call `call_id` notified the subscriber, `at` (Unix ms) or now."""
        moment = unix_ms(self._clock.now()) if at is None else at
        self._note_result(reason, moment, call_id, number, notified=True)

    def note(self, event: CallEvent, at: int) -> None:
        """Record an event that happened at `at` (Unix ms)."""
        self._events.append(event)
        self._writer.put(
            _CALL_ENVELOPE.wrap(
                event,
                event_id=event.event_id,
                occurred_at=from_unix_ms(at),
                correlation_id=str(event.run_id),
                causation_id=str(event.call_id),
            )
        )
        for observer in self._observers:
            observer.note(event, at)

    def now_ms(self) -> int:
        return unix_ms(self._clock.now())

    async def __aenter__(self) -> Self:
        await self._writer.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._writer.__aexit__(kind, error, trace)

    def _note_result(
        self, reason: str, at: int, call_id: UUID | None, number: str | None, *, notified: bool
    ) -> None:
        result = SubscriberResult(
            run_id=self._job.run_id,
            no=self._job.subscriber.no,
            wave=self._job.wave,
            notified=notified,
            reason=reason,
            call_id=call_id,
            number=number,
            members=self._job.subscriber.members,
        )
        self._result = result
        if reason == FAULT:
            log.error(
                "subscriber was not reached because of a fault of the system",
                run_id=str(result.run_id),
                subscriber=result.no,
                wave=result.wave,
            )
        for observer in self._observers:
            observer.note_result(result)
        self._writer.put(
            _RESULT_ENVELOPE.wrap(
                result,
                event_id=f"{result.run_id}:{result.no}:{result.wave}",
                occurred_at=from_unix_ms(at),
                correlation_id=str(result.run_id),
            )
        )


class CallRecord:
    """The messages of one call that this replica makes, numbered in their order."""

    def __init__(
        self,
        recorder: CallRecorder,
        call_id: UUID,
        job: DialJob,
        phone_index: int,
        station_id: UUID,
        *,
        delayed: bool,
    ) -> None:
        self.call_id = call_id
        self.number = job.subscriber.phones[phone_index]
        self._recorder = recorder
        self._job = job
        self._phone_index = phone_index
        self._station_id = station_id
        self._delayed = delayed
        self._next_seq = 0
        self._sip_call_id: str | None = None

    def started(self, owner: CallOwner, ends_by: datetime) -> None:
        """Record that the call begins: who is called, by which process, and through which station."""
        now = self._recorder.now_ms()
        person = self._job.subscriber
        contact = Contact(
            full_name=person.full_name,
            phones=person.phones,
            emails=person.emails,
            shared_with=person.shared_with,
            id=person.id,
        )
        self._note(Publish(CallEventKind.STARTED, now), contact=contact, owner=owner, ends_by=ends_by)
        self.publish(Publish(CallEventKind.STATION_CHOSEN, now))

    def publish(self, effect: Publish, sip_call_id: str | None = None) -> None:
        """Record an event of the call machine; `sip_call_id` as it is now."""
        told = sip_call_id if effect.kind in FINAL_KINDS or sip_call_id != self._sip_call_id else None
        self._sip_call_id = sip_call_id or self._sip_call_id
        self._note(effect, station_id=self._station_id, delayed=self._delayed, sip_call_id=told)

    def succeed(self, effect: Succeed) -> None:
        """Record the subscriber's result: the call machine has seen the condition of success met."""
        self._recorder.notified(effect.reason, self.call_id, self.number, effect.at)

    def cancelled(self) -> None:
        """Record the end of a call that was never placed. The number is called again."""
        now = self._recorder.now_ms()
        self.publish(Publish(CallEventKind.ENDED, now, reason=CANCELLED, heard_ms=0))

    def _note(self, effect: Publish, **more: Any) -> None:
        if decision := self._retry_decision(effect):
            more |= {"verdict": decision.verdict, "next_attempt_at": decision.at}
        event = CallEvent(
            run_id=self._job.run_id,
            no=self._job.subscriber.no,
            wave=self._job.wave,
            call_id=self.call_id,
            seq=self._next_seq,
            kind=effect.kind,
            number=self.number,
            phone_index=self._phone_index,
            digit=effect.digit,
            sip_code=effect.sip_code,
            reason_phrase=effect.reason_phrase,
            reason=effect.reason,
            heard_ms=effect.heard_ms,
            success=effect.success,
            reason_header=effect.reason_header,
            **more,
        )
        self._next_seq += 1
        self._recorder.note(event, effect.at)

    def _retry_decision(self, effect: Publish) -> RetryDecision | None:
        job = self._job
        if not job.settings.retry_rules or effect.kind is not CallEventKind.ENDED or effect.success:
            return None
        earlier = attempts_at(self._recorder.events, job.wave, self._phone_index)
        ended_at = from_unix_ms(effect.at)
        return retry_decision(job.settings, job.hours_zones, effect.reason, earlier + 1, ended_at)


def _reason_without_end(call: PastCall) -> str:
    return classify(Cause.OPTED_OUT if call.opted_out else Cause.FAULT).reason
