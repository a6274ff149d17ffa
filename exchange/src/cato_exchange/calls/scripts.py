"""Carry out the number plan: schedule the responses to one call's INVITE."""

from functools import partial

from sipmessage import Request

from cato_exchange.calls.call import Call
from cato_exchange.calls.callee_script import CalleeScript
from cato_exchange.calls.session_timer import interval
from cato_exchange.plan import (
    Answer,
    Busy,
    CancelCrossing,
    EarlyMedia,
    NoAnswer,
    NoReply,
    NotFound,
    Redirect,
    Reject,
    Rule,
)
from cato_exchange.sip import digest
from cato_exchange.sip.messages import reason_phrase
from cato_exchange.sip.timers import TIMEOUT


def run_script(call: Call, rule: Rule) -> None:
    """Start the behaviour of the rule for a call whose INVITE has arrived."""
    if isinstance(call.behaviour, NoReply):
        call.after(TIMEOUT, lambda: call.finish("timeout"))
        return
    call.perform = partial(_admit, call, rule)
    call.perform()


def _admit(call: Call, rule: Rule) -> None:
    if not rule.no_trying:
        call.trying()
    challenge = rule.challenge
    if challenge is not None:
        request: Request = call.invite.request
        given = digest.credentials(request, challenge)
        if given is None and call.nonce is None:
            call.challenge(challenge)
            return
        if given is not None and call.nonce is None:
            # Credentials for the nonce of an earlier call (RFC 7616 3.3).
            call.challenge(challenge, stale=True)
            return
        if given is None or not digest.is_valid(given, challenge, request.method, call.nonce or ""):
            headers = digest.challenge_header(challenge, call.nonce or "")
            call.refuse(challenge.status, reason_phrase(challenge.status), headers)
            return
    if rule.no_timers and "timer" in call.invite.request.require:
        call.refuse(420, headers={"Unsupported": "timer"})
        return
    if rule.min_se is not None and (asked := interval(call.invite.request)) and asked < rule.min_se:
        call.require_longer_session(rule.min_se)
        return
    call.after(call.behaviour.delay_s, partial(_progress, call))


def _progress(call: Call) -> None:
    match call.behaviour:
        case Answer() as plan:
            talk = CalleeScript(call, plan)
            if plan.ringing:
                call.ring()
            call.after(plan.ring_s, talk.answer)
        case EarlyMedia() as plan:
            _early_media(call, plan)
        case CancelCrossing() as plan:
            CalleeScript(call, plan)
            call.ring()
        case NoAnswer() as plan:
            if plan.ringing:
                call.ring()
        case Busy() | NotFound() | Reject() | Redirect() as plan:
            if plan.ring_s > 0:
                call.ring()
            call.after(plan.ring_s, partial(_refuse, call, plan))


def _early_media(call: Call, plan: EarlyMedia) -> None:
    if plan.ring_s > 0:
        call.ring()
    call.after(plan.ring_s, partial(_announce, call, plan, CalleeScript(call, plan)))


def _announce(call: Call, plan: EarlyMedia, talk: CalleeScript) -> None:
    call.progress()
    if call.record.ended:
        return
    if not plan.no_rtp and call.invite.request.body:
        call.media.send_ringback()
    call.after(plan.answer_after_s, talk.answer)
    call.after(plan.reject_after_s, lambda: call.refuse(plan.code))


def _refuse(call: Call, plan: Busy | NotFound | Reject | Redirect) -> None:
    match plan:
        case Busy():
            call.refuse(486)
        case NotFound():
            call.refuse(404)
        case Redirect(code=code, contacts=contacts):
            call.refuse(code, headers={"Contact": ", ".join(f"<{contact}>" for contact in contacts)})
        case Reject(code=code, reason=reason, retry_after_s=seconds):
            headers = {} if seconds is None else {"Retry-After": str(seconds)}
            call.refuse(code, reason, headers)
