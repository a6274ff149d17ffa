"""The tables of a call's state machine as plain JSON values, for documents."""

from cato_dialer.dial.domain.call.machine import TRANSITIONS
from cato_dialer.dial.domain.call.state import TIMER_LIMITS, TRIGGERS, Phase, Timer, trigger_name


def described() -> dict[str, object]:
    """Return states, triggers, timers and transitions."""
    return {
        "states": [phase.value for phase in Phase],
        "initial": Phase.DIALLING.value,
        "final": Phase.ENDED.value,
        "triggers": [trigger_name(trigger) for trigger in TRIGGERS],
        "timers": [
            {"name": timer.value, "runs_for": TIMER_LIMITS[timer], "expires_as": trigger_name(timer)}
            for timer in Timer
        ],
        "transitions": [row.described() for row in TRANSITIONS],
    }


def meanings() -> dict[str, str]:
    """Return the first line of each docstring of the guards and actions."""
    steps = [step for row in TRANSITIONS for step in (*row.actions, row.guard) if step is not None]
    return {step.__name__: step.__doc__.splitlines()[0] for step in steps if step.__doc__}
