"""The steps that transitions are made of; each is named in the table."""

from dataclasses import replace

from cato_contracts.calls import CallEventKind
from cato_contracts.resources import SuccessCondition
from cato_dialer.dial.domain.call.outcome import Cause, Success, classify
from cato_dialer.dial.domain.call.rules import CONFIRMATION_MS, RELEASE_MS
from cato_dialer.dial.domain.call.state import (
    Call,
    Effect,
    HangUp,
    Publish,
    Signal,
    StartTimer,
    StopTimer,
    Succeed,
    Timer,
    Trigger,
)

Step = tuple[Call, tuple[Effect, ...]]

_TRYING, _OK, _REQUEST_TERMINATED = 100, 200, 487

_SUCCESS: dict[SuccessCondition, Success] = {
    SuccessCondition.PICKUP_PHONE: Success.ANSWERED,
    SuccessCondition.PICKUP_AND_LISTEN_SOME: Success.HEARD_ENOUGH,
    SuccessCondition.PICKUP_AND_LISTEN_FULL: Success.HEARD_ALL,
    SuccessCondition.PICKUP_AND_CONFIRM: Success.CONFIRMED,
}

_CAUSES: dict[Trigger, Cause] = {
    Trigger.REMOTE_HANGUP: Cause.REMOTE_HANGUP,
    Trigger.LOCAL_HANGUP: Cause.LOCAL_HANGUP,
    Trigger.NO_RESPONSE: Cause.NO_RESPONSE,
    Trigger.FAULT: Cause.FAULT,
    Trigger.RELEASE_EXPIRED: Cause.FAULT,
}


def record_trying(call: Call, signal: Signal) -> Step:
    return _provisional(call, signal, CallEventKind.TRYING, _TRYING)


def record_ringing(call: Call, signal: Signal) -> Step:
    return _provisional(call, signal, CallEventKind.RINGING, signal.sip_code or 180)


def record_progress(call: Call, signal: Signal) -> Step:
    return _provisional(call, signal, CallEventKind.SESSION_PROGRESS, 183)


def begin_answer_limit(call: Call, signal: Signal) -> Step:
    return call, (StopTimer(Timer.SETUP), StartTimer(Timer.ANSWER, signal.at + call.rules.answer_ms))


def record_answer(call: Call, signal: Signal) -> Step:
    event = Publish(CallEventKind.ANSWERED, signal.at, sip_code=_OK)
    return replace(call, answered=True), (event,)


def begin_talk(call: Call, signal: Signal) -> Step:
    return call, (
        StopTimer(Timer.SETUP),
        StopTimer(Timer.ANSWER),
        StartTimer(Timer.DURATION, signal.at + call.rules.duration_ms),
    )


def succeed(call: Call, signal: Signal) -> Step:
    reason = _SUCCESS[call.rules.condition].value
    return replace(call, success=reason), (Succeed(signal.at, reason),)


def note_heard(call: Call, signal: Signal) -> Step:
    return replace(call, heard_ms=max(call.heard_ms, signal.heard_ms)), ()


def record_playback_started(call: Call, signal: Signal) -> Step:
    return call, (Publish(CallEventKind.PLAYBACK_STARTED, signal.at),)


def record_playback_finished(call: Call, signal: Signal) -> Step:
    return call, (Publish(CallEventKind.PLAYBACK_FINISHED, signal.at),)


def await_code(call: Call, signal: Signal) -> Step:
    return call, (StartTimer(Timer.CONFIRMATION, signal.at + CONFIRMATION_MS),)


def record_digit(call: Call, signal: Signal) -> Step:
    event = Publish(CallEventKind.DIGIT, signal.at, digit=signal.digit)
    return replace(call, digits=call.digits + signal.digit), (event,)


def record_confirmed(call: Call, signal: Signal) -> Step:
    return call, (Publish(CallEventKind.CONFIRMED, signal.at),)


def record_limit_to_answer(call: Call, signal: Signal) -> Step:
    return call, (Publish(CallEventKind.ANSWER_TIMEOUT, signal.at),)


def record_limit_to_talk(call: Call, signal: Signal) -> Step:
    return call, (Publish(CallEventKind.DURATION_EXCEEDED, signal.at),)


def blame_setup(call: Call, _: Signal) -> Step:
    return _blamed(call, Cause.SETUP_TIMEOUT), ()


def blame_no_answer(call: Call, _: Signal) -> Step:
    return _blamed(call, Cause.ANSWER_TIMEOUT), ()


def blame_duration(call: Call, _: Signal) -> Step:
    return _blamed(call, Cause.DURATION_EXCEEDED), ()


def blame_no_code(call: Call, _: Signal) -> Step:
    return _blamed(call, Cause.NOT_CONFIRMED), ()


def blame_order(call: Call, _: Signal) -> Step:
    return _blamed(call, Cause.LOCAL_HANGUP), ()


def hang_up(call: Call, signal: Signal) -> Step:
    return call, (*_no_timers(), HangUp(), StartTimer(Timer.RELEASE, signal.at + RELEASE_MS))


def record_rejection(call: Call, signal: Signal) -> Step:
    """Record a final response, unless it is the one that our own CANCEL asked for."""
    if call.failure is not None and signal.sip_code == _REQUEST_TERMINATED:
        return call, ()
    event = Publish(
        CallEventKind.REJECTED,
        signal.at,
        sip_code=signal.sip_code,
        reason_phrase=signal.phrase or None,
    )
    return call, (event,)


def record_remote_hangup(call: Call, signal: Signal) -> Step:
    return call, (Publish(CallEventKind.REMOTE_HANGUP, signal.at),)


def end(call: Call, signal: Signal) -> Step:
    return _finish(call, signal, CallEventKind.ENDED)


def interrupt(call: Call, signal: Signal) -> Step:
    return _finish(call, signal, CallEventKind.INTERRUPTED)


def _provisional(call: Call, signal: Signal, kind: CallEventKind, code: int) -> Step:
    # A station may repeat a provisional response every minute (RFC 3261, 13.3.1.1): once is enough.
    if code in call.seen:
        return call, ()
    event = Publish(kind, signal.at, sip_code=code, reason_phrase=signal.phrase or None)
    return replace(call, seen=call.seen | {code}), (event,)


def _blamed(call: Call, cause: Cause) -> Call:
    return call if call.success else replace(call, failure=classify(cause).reason)


def _no_timers() -> tuple[StopTimer, ...]:
    return tuple(StopTimer(timer) for timer in Timer)


def _finish(call: Call, signal: Signal, kind: CallEventKind) -> Step:
    heard = max(call.heard_ms, signal.heard_ms)
    code = signal.sip_code or (_OK if call.answered else None)
    event = Publish(
        kind,
        signal.at,
        sip_code=code,
        reason=call.success or call.failure or _reason(signal),
        heard_ms=heard,
        success=call.success is not None,
    )
    return replace(call, heard_ms=heard), (*_no_timers(), event)


def _reason(signal: Signal) -> str:
    if signal.trigger is Trigger.REJECTED:
        return classify(signal.sip_code or 0).reason
    return classify(_CAUSES[signal.trigger]).reason
