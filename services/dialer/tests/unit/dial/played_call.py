"""A call of the state machine that inputs are played to."""

from cato_contracts.messages.calls import CallEventKind
from cato_dialer.dial.domain.call.machine import advance, begin
from cato_dialer.dial.domain.call.rules import CallRules
from cato_dialer.dial.domain.call.state import Call, CallInput, Effect, Publish


def play(by: CallRules, *inputs: CallInput) -> tuple[Call, list[Effect]]:
    """Return the call after the inputs, and the effects of all of them."""
    call, first = begin(by, 0)
    effects = list(first)
    for happened in inputs:
        call, more = advance(call, happened)
        effects += more
    return call, effects


def published(effects: list[Effect]) -> list[CallEventKind]:
    return [effect.kind for effect in effects if isinstance(effect, Publish)]
