"""The actions of the transitions; the table names them."""

from dataclasses import replace

from cato_contracts.api.resources import SuccessCondition
from cato_contracts.messages.calls import CallEventKind
from cato_dialer.dial.domain.call.line_events import (
    LineDigit,
    LineHeard,
    LinePlaybackFinished,
    LineProgress,
    LineReleased,
    LineRinging,
    LineTrying,
    ReleaseCause,
)
from cato_dialer.dial.domain.call.outcome import Cause, Success, classify
from cato_dialer.dial.domain.call.rules import CONFIRMATION_MS, RELEASE_MS
from cato_dialer.dial.domain.call.state import (
    Call,
    CallInput,
    Effect,
    HangUp,
    Play,
    Publish,
    StartTimer,
    StopTimer,
    Succeed,
    Timer,
)

Step = tuple[Call, tuple[Effect, ...]]

_TRYING, _PROGRESS, _OK, _REQUEST_TERMINATED = 100, 183, 200, 487

_SUCCESS: dict[SuccessCondition, Success] = {
    SuccessCondition.PICKUP_PHONE: Success.ANSWERED,
    SuccessCondition.PICKUP_AND_LISTEN_SOME: Success.HEARD_ENOUGH,
    SuccessCondition.PICKUP_AND_LISTEN_FULL: Success.HEARD_ALL,
    SuccessCondition.PICKUP_AND_CONFIRM: Success.CONFIRMED,
}

_CAUSES: dict[ReleaseCause, Cause] = {
    ReleaseCause.REMOTE_HANGUP: Cause.REMOTE_HANGUP,
    ReleaseCause.LOCAL_HANGUP: Cause.LOCAL_HANGUP,
    ReleaseCause.NO_RESPONSE: Cause.NO_RESPONSE,
    ReleaseCause.NO_MEDIA: Cause.NO_MEDIA,
    ReleaseCause.NO_COMMON_CODEC: Cause.NO_COMMON_CODEC,
    ReleaseCause.FAULT: Cause.FAULT,
}


def record_trying(call: Call, event: LineTrying) -> Step:
    return _provisional(call, event.at, CallEventKind.TRYING, _TRYING)


def record_ringing(call: Call, event: LineRinging) -> Step:
    return _provisional(call, event.at, CallEventKind.RINGING, event.sip_code, event.phrase)


def record_progress(call: Call, event: LineProgress) -> Step:
    return _provisional(call, event.at, CallEventKind.SESSION_PROGRESS, _PROGRESS)


def begin_answer_limit(call: Call, event: CallInput) -> Step:
    return call, (StopTimer(Timer.SETUP), StartTimer(Timer.ANSWER, event.at + call.rules.answer_ms))


def record_answer(call: Call, event: CallInput) -> Step:
    answered = Publish(CallEventKind.ANSWERED, event.at, sip_code=_OK)
    return replace(call, answered=True), (answered,)


def begin_talk(call: Call, event: CallInput) -> Step:
    return call, (
        StopTimer(Timer.SETUP),
        StopTimer(Timer.ANSWER),
        StartTimer(Timer.DURATION, event.at + call.rules.duration_ms),
    )


def succeed(call: Call, event: CallInput) -> Step:
    reason = _SUCCESS[call.rules.condition].value
    return replace(call, success=reason), (Succeed(event.at, reason),)


def note_heard(call: Call, event: LineHeard | LinePlaybackFinished) -> Step:
    return replace(call, heard_ms=max(call.heard_ms, event.heard_ms)), ()


def record_playback_started(call: Call, event: CallInput) -> Step:
    return call, (Publish(CallEventKind.PLAYBACK_STARTED, event.at),)


def record_playback_finished(call: Call, event: CallInput) -> Step:
    return call, (Publish(CallEventKind.PLAYBACK_FINISHED, event.at),)


def await_code(call: Call, event: CallInput) -> Step:
    return call, (StartTimer(Timer.CONFIRMATION, event.at + CONFIRMATION_MS),)


def record_digit(call: Call, event: LineDigit) -> Step:
    keyed = Publish(CallEventKind.DIGIT, event.at, digit=event.digit)
    return replace(call, digits=call.digits + event.digit), (keyed,)


def record_confirmed(call: Call, event: CallInput) -> Step:
    return call, (Publish(CallEventKind.CONFIRMED, event.at),)


def record_opt_out(call: Call, event: CallInput) -> Step:
    return replace(call, opted_out=True), (Publish(CallEventKind.OPTED_OUT, event.at),)


def announce(call: Call, _: CallInput) -> Step:
    call = replace(call, part=call.part + 1)
    return call, (StopTimer(Timer.CONFIRMATION), Play(call.part, announcement=True))


def record_repeat(call: Call, event: CallInput) -> Step:
    return call, (Publish(CallEventKind.REPEATED, event.at),)


def play_again(call: Call, _: CallInput) -> Step:
    call = replace(call, part=call.part + 1)
    return call, (StopTimer(Timer.CONFIRMATION), Play(call.part))


def record_limit_to_answer(call: Call, event: CallInput) -> Step:
    return call, (Publish(CallEventKind.ANSWER_TIMEOUT, event.at),)


def record_limit_to_talk(call: Call, event: CallInput) -> Step:
    return call, (Publish(CallEventKind.DURATION_EXCEEDED, event.at),)


def blame_setup(call: Call, _: CallInput) -> Step:
    return _blamed(call, Cause.SETUP_TIMEOUT), ()


def blame_no_answer(call: Call, _: CallInput) -> Step:
    return _blamed(call, Cause.ANSWER_TIMEOUT), ()


def blame_duration(call: Call, _: CallInput) -> Step:
    return _blamed(call, Cause.DURATION_EXCEEDED), ()


def blame_no_code(call: Call, _: CallInput) -> Step:
    return _blamed(call, Cause.NOT_CONFIRMED), ()


def blame_opt_out(call: Call, _: CallInput) -> Step:
    """A success before stays: the person was reached, and asks not to be called again."""
    return call if call.success else replace(call, failure=classify(Cause.OPTED_OUT).reason), ()


def blame_order(call: Call, _: CallInput) -> Step:
    return _blamed(call, Cause.LOCAL_HANGUP), ()


def hang_up(call: Call, event: CallInput) -> Step:
    return call, (*_no_timers(), HangUp(), StartTimer(Timer.RELEASE, event.at + RELEASE_MS))


def record_rejection(call: Call, event: LineReleased) -> Step:
    """Record a final response, unless it is the 487 that our CANCEL caused."""
    if call.failure is not None and event.sip_code == _REQUEST_TERMINATED:
        return call, ()
    rejected = Publish(
        CallEventKind.REJECTED,
        event.at,
        sip_code=event.sip_code,
        reason_phrase=event.phrase or None,
    )
    return call, (rejected,)


def record_remote_hangup(call: Call, event: CallInput) -> Step:
    return call, (Publish(CallEventKind.REMOTE_HANGUP, event.at),)


def end(call: Call, event: CallInput) -> Step:
    return _finish(call, event, CallEventKind.ENDED)


def interrupt(call: Call, event: CallInput) -> Step:
    return _finish(call, event, CallEventKind.INTERRUPTED)


def _provisional(call: Call, at: int, kind: CallEventKind, code: int, phrase: str = "") -> Step:
    # A station may repeat a provisional response every minute (RFC 3261, 13.3.1.1): once is enough.
    if code in call.seen:
        return call, ()
    response = Publish(kind, at, sip_code=code, reason_phrase=phrase or None)
    return replace(call, seen=call.seen | {code}), (response,)


def _blamed(call: Call, cause: Cause) -> Call:
    return call if call.success or call.opted_out else replace(call, failure=classify(cause).reason)


def _no_timers() -> tuple[StopTimer, ...]:
    return tuple(StopTimer(timer) for timer in Timer)


def _finish(call: Call, happened: CallInput, kind: CallEventKind) -> Step:
    released = happened if isinstance(happened, LineReleased) else None
    heard = max(call.heard_ms, released.heard_ms) if released else call.heard_ms
    code = released.sip_code if released else None
    end = Publish(
        kind,
        happened.at,
        sip_code=code or (_OK if call.answered else None),
        reason=call.success or call.failure or _reason(released),
        heard_ms=heard,
        success=call.success is not None,
        reason_header=released.reason_header if released else None,
    )
    return replace(call, heard_ms=heard), (*_no_timers(), end)


def _reason(released: LineReleased | None) -> str:
    if released is None:
        return classify(Cause.FAULT).reason
    if released.cause is ReleaseCause.REJECTED:
        return classify(released.sip_code or 0).reason
    return classify(_CAUSES[released.cause]).reason
