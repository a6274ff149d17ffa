"""The conditions of the transitions; each is named in the table."""

from cato_contracts.resources import SuccessCondition
from cato_dialer.dial.domain.call.state import Call, Signal


def answered(call: Call, _: Signal) -> bool:
    return call.answered


def not_answered(call: Call, _: Signal) -> bool:
    return not call.answered


def pickup_suffices(call: Call, _: Signal) -> bool:
    return call.rules.condition is SuccessCondition.PICKUP_PHONE


def first_packet_suffices(call: Call, _: Signal) -> bool:
    return call.success is None and call.rules.needed_ms == 0


def heard_enough(call: Call, signal: Signal) -> bool:
    needed = call.rules.needed_ms
    return call.success is None and needed is not None and 0 < needed <= signal.heard_ms


def prompt_suffices(call: Call, _: Signal) -> bool:
    """Whoever has heard all of it has heard the part that was asked for."""
    return call.success is None and call.rules.needed_ms is not None


def awaits_code(call: Call, _: Signal) -> bool:
    return call.success is None and call.rules.condition is SuccessCondition.PICKUP_AND_CONFIRM


def completes_code(call: Call, signal: Signal) -> bool:
    """The code may follow any other digits, so the end of what was keyed is compared."""
    return (
        call.answered
        and awaits_code(call, signal)
        and (call.digits + signal.digit).endswith(call.rules.confirm_code)
    )
