from uuid import UUID, uuid4

from cato_contracts.messages.calls import CallEvent, CallEventKind
from cato_contracts.messages.runs import SubscriberResult
from cato_dialer.dial.domain.subscriber.fault_limits import INTERRUPTION_LIMIT
from cato_dialer.dial.domain.subscriber.next_attempt import (
    Conclude,
    Dial,
    Finished,
    Interrupt,
    NextAttempt,
    next_attempt,
)
from cato_dialer.dial.domain.subscriber.past_call import PastCall, calls_of

RUN, FIRST, SECOND = uuid4(), uuid4(), uuid4()
STATIONS = (FIRST, SECOND)


def call(
    reason: str | None,
    *,
    phone: int = 0,
    wave: int = 1,
    station: UUID = FIRST,
    ending: CallEventKind | None = CallEventKind.ENDED,
    success: bool = False,
) -> PastCall:
    return PastCall(
        call_id=uuid4(),
        wave=wave,
        number=f"n{phone}",
        phone_index=phone,
        station_id=station,
        delayed=False,
        next_seq=6,
        ending=ending if reason else None,
        success=success,
        reason=reason,
    )


def interrupted(phone: int = 0, wave: int = 1, station: UUID = FIRST) -> PastCall:
    return call("interrupted", phone=phone, wave=wave, station=station, ending=CallEventKind.INTERRUPTED)


def result(wave: int, notified: bool, decided_by: PastCall | None = None) -> SubscriberResult:
    return SubscriberResult(
        run_id=RUN,
        no=0,
        wave=wave,
        notified=notified,
        reason="busy",
        call_id=decided_by.call_id if decided_by else None,
        number=None,
    )


def after(*calls: PastCall, wave: int = 1, last: SubscriberResult | None = None) -> NextAttempt:
    return next_attempt(wave, 3, STATIONS, calls, last)


def test_a_new_subscriber_is_called_on_the_first_number() -> None:
    assert after() == Dial(0, STATIONS, 0)


def test_a_final_answer_moves_on_to_the_next_number() -> None:
    assert after(call("busy")) == Dial(1, STATIONS, 1)
    assert after(call("busy"), call("no-answer", phone=1)) == Dial(2, STATIONS, 2)


def test_the_last_number_decides() -> None:
    last = call("busy", phone=2)
    assert after(call("busy"), call("busy", phone=1), last) == Conclude(False, "busy", last)


def test_a_station_that_failed_is_left_out_for_this_number_only() -> None:
    failed = call("service-unavailable")
    assert after(failed) == Dial(0, (SECOND,), 1)
    assert after(failed, call("no-response", station=SECOND)) == Dial(1, STATIONS, 2)


def test_an_interrupted_number_is_called_again_up_to_the_limit() -> None:
    assert after(call("busy"), interrupted(phone=1)) == Dial(1, STATIONS, 2)
    worn = [interrupted()] * (INTERRUPTION_LIMIT + 1)
    assert after(*worn) == Dial(1, STATIONS, len(worn))


def test_t12_a_number_that_is_interrupted_twice_at_a_station_is_called_through_another_one() -> None:
    assert after(*[interrupted()] * 2) == Dial(0, (SECOND, FIRST), 2)
    assert after(*[interrupted()] * 2, interrupted(station=SECOND)) == Dial(0, (SECOND, FIRST), 3)


def test_a_cancelled_number_is_called_again_without_a_limit() -> None:
    many = [call("cancelled")] * 10
    assert after(*many) == Dial(0, STATIONS, 10)


def test_an_open_call_is_ended_before_anything_else() -> None:
    left = call(None)
    assert after(left) == Interrupt(left, success=False)
    decided = result(1, notified=True, decided_by=left)
    assert after(left, last=decided) == Interrupt(left, success=True)
    assert after(left, wave=2) == Interrupt(left, success=False)


def test_a_subscriber_decided_for_the_wave_or_notified_earlier_is_finished() -> None:
    assert after(last=result(1, notified=False)) == Finished()
    assert after(wave=2, last=result(1, notified=True)) == Finished()
    assert after(wave=2, last=result(1, notified=False)) == Dial(0, STATIONS, 0)


def test_a_later_wave_starts_with_the_first_number_and_counts_on() -> None:
    earlier = (call("busy"), call("service-unavailable", phone=1))
    assert after(*earlier, wave=2, last=result(1, notified=False)) == Dial(0, STATIONS, 2)


def test_a_success_without_its_result_is_concluded() -> None:
    reached = call("confirmed", success=True)
    assert after(reached) == Conclude(True, "confirmed", reached)


def test_calls_are_folded_from_their_events() -> None:
    identity = uuid4()

    def event(seq: int, kind: CallEventKind, **fields: object) -> CallEvent:
        known = {"run_id": RUN, "no": 0, "wave": 1, "call_id": identity, "number": "n0", "phone_index": 0}
        return CallEvent.model_validate({**known, "seq": seq, "kind": kind, **fields})

    events = [
        event(0, CallEventKind.STARTED),
        event(1, CallEventKind.STATION_CHOSEN, station_id=FIRST, delayed=True),
        event(2, CallEventKind.ANSWERED),
    ]
    (folded,) = calls_of(events)
    assert (folded.station_id, folded.delayed, folded.next_seq, folded.answered, folded.ending) == (
        FIRST,
        True,
        3,
        True,
        None,
    )
    (folded,) = calls_of([*events, event(3, CallEventKind.ENDED, success=True, reason="answered")])
    assert (folded.ending, folded.success, folded.reason) == (CallEventKind.ENDED, True, "answered")
