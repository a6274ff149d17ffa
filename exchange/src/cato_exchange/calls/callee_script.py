"""Actions of the callee once the call is established: send audio, press keys, hold, hang up."""

import logging
from functools import partial

from cato_exchange.calls.call import Call
from cato_exchange.calls.session_timer import SessionTimer
from cato_exchange.media.sdp import NotAcceptableError
from cato_exchange.plan import Answer, CancelCrossing, Digits, EarlyMedia

log = logging.getLogger(__name__)

_INFO_DURATION_MS = 160
_KEY_S = 0.2


class CalleeScript:
    """Runs the plan of one answered call on timers that start at the ACK."""

    def __init__(self, call: Call, plan: Answer | EarlyMedia | CancelCrossing) -> None:
        self._call = call
        self._plan = plan
        seconds = plan.session_expires
        self._timer = None if seconds is None else SessionTimer(call, seconds, plan)
        call.confirmed = self._begin

    def answer(self) -> None:
        self._call.answer(None if self._timer is None else self._timer.headers())

    def _begin(self) -> None:
        call, plan = self._call, self._plan
        if plan.talk:
            call.media.send_tone()
        else:
            call.media.stop_audio()
        for digits in plan.digits:
            call.after(digits.after_s, partial(self._press, digits))
        if plan.reinvite_after_s is not None:
            call.after(plan.reinvite_after_s, self._hold)
        call.after(0 if plan.immediate_bye else plan.hang_up_after_s, call.hang_up)
        if self._timer is not None and not call.hanging_up:
            self._timer.start()

    def _press(self, keyed: Digits) -> None:
        if keyed.by in {"rfc4733", "inband"}:
            try:
                self._call.media.press(keyed.digits, keyed.by)
            except NotAcceptableError as error:
                log.warning(
                    "digits cannot be sent",
                    extra={"call_id": self._call.record.call_id, "reason": str(error)},
                )
                return
            for digit in keyed.digits:
                self._note(digit, keyed.by)
            return
        for position, digit in enumerate(keyed.digits):
            self._call.after(position * _KEY_S, partial(self._inform, digit, keyed.by))

    def _inform(self, digit: str, by: str) -> None:
        if by == "dtmf":
            self._call.in_dialog.info("application/dtmf", digit)
        else:
            body = f"Signal={digit}\r\nDuration={_INFO_DURATION_MS}\r\n"
            self._call.in_dialog.info("application/dtmf-relay", body)
        self._note(digit, by)

    def _note(self, digit: str, by: str) -> None:
        self._call.record.digits_sent.append({"digit": digit, "by": by, "at_ms": self._call.now()})

    def _hold(self) -> None:
        self._call.in_dialog.offer(self._plan.hold, self._held)

    def _held(self, agreed: bool) -> None:
        if agreed:
            self._call.record.held += 1
        self._call.after(self._plan.resume_after_s, self._resume)

    def _resume(self) -> None:
        self._call.in_dialog.offer("sendrecv", lambda _agreed: None)
