"""The guards of the transitions; the table names them."""

from cato_contracts.api.resources import SuccessCondition
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
    return call.success is None and needed is not None and 0 < needed <= event.heard_ms


def prompt_suffices(call: Call, _: CallInput) -> bool:
    """Hearing all of the prompt includes the part that was asked for."""
    return call.success is None and call.rules.needed_ms is not None


def awaits_code(call: Call, _: CallInput) -> bool:
    return call.success is None and call.rules.condition is SuccessCondition.PICKUP_AND_CONFIRM


def completes_code(call: Call, event: LineDigit) -> bool:
    """The code may follow other digits, so the last digits are compared."""
    return (
        call.answered
        and awaits_code(call, event)
        and (call.digits + event.digit).endswith(call.rules.confirm_code)
    )
