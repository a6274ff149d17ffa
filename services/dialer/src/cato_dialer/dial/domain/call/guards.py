"""The guards of the transitions; the table names them."""

from cato_contracts.api.resources import SuccessCondition
from cato_contracts.api.rules.keys import REPEATS_AT_MOST
from cato_dialer.dial.domain.call.line_events import (
    LineDigit,
    LineHeard,
    LinePlaybackFinished,
    LineReleased,
)
from cato_dialer.dial.domain.call.state import Call, CallInput


def answered(call: Call, _: CallInput) -> bool:
    return call.answered


def not_answered(call: Call, _: CallInput) -> bool:
    return not call.answered


def pickup_suffices(call: Call, _: CallInput) -> bool:
    return call.rules.condition is SuccessCondition.PICKUP_PHONE


def first_packet_suffices(call: Call, _: CallInput) -> bool:
    return call.success is None and call.rules.needed_ms == 0


def heard_enough(call: Call, event: LineHeard | LinePlaybackFinished | LineReleased) -> bool:
    needed = call.rules.needed_ms
    return _undecided(call) and needed is not None and 0 < needed <= event.heard_ms


def prompt_suffices(call: Call, _: CallInput) -> bool:
    """Hearing all of the prompt includes the part that was asked for."""
    return _undecided(call) and call.rules.needed_ms is not None


def awaits_code(call: Call, _: CallInput) -> bool:
    return _undecided(call) and call.rules.condition is SuccessCondition.PICKUP_AND_CONFIRM


def completes_code(call: Call, event: LineDigit) -> bool:
    """The code may follow other digits, so the last digits are compared."""
    return (
        call.answered
        and awaits_code(call, event)
        and (call.digits + event.digit).endswith(call.rules.confirm_code)
    )


def opts_out(call: Call, event: LineDigit) -> bool:
    return call.answered and not call.opted_out and event.digit == call.rules.opt_out_key


def opts_out_and_hears_more(call: Call, event: LineDigit) -> bool:
    return opts_out(call, event) and call.rules.announces


def asks_again(call: Call, event: LineDigit) -> bool:
    """Before an opt-out, every part but the first is a repetition."""
    return event.digit == call.rules.repeat_key and call.part < REPEATS_AT_MOST


def superseded(call: Call, event: LinePlaybackFinished) -> bool:
    """Something else was ordered before the end of this part was known."""
    return event.part != call.part


def prompt_suffices_superseded(call: Call, event: LinePlaybackFinished) -> bool:
    return superseded(call, event) and prompt_suffices(call, event)


def _undecided(call: Call) -> bool:
    """An opt-out is no success, however much was heard."""
    return call.success is None and not call.opted_out
