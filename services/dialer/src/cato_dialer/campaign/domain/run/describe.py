"""The tables of a run's state machine as plain JSON values, for documents."""

from collections.abc import Iterator

from cato_dialer.campaign.domain.run.next_step import RULES
from cato_dialer.campaign.domain.run.transitions import (
    ACTIVITIES,
    TRANSITIONS,
    Mode,
    Phase,
    possible,
    state_name,
)


def described() -> dict[str, object]:
    """Return states, transitions, activities and rules."""
    states = list(dict.fromkeys(state_name(phase, mode) for phase, mode in _states()))
    return {
        "states": states,
        "initial": states[0],
        "final": Phase.ENDED.value,
        "transitions": [
            {
                "state": state_name(phase, mode),
                "by": row.by,
                "event": row.event,
                "target": state_name(row.phase or phase, row.mode or mode),
            }
            for phase, mode in _states()
            for row in TRANSITIONS
            if phase in row.phases and mode in row.modes
        ],
        "activities": {
            state_name(phase, mode): [
                row.by for row in ACTIVITIES if phase in row.phases and mode in row.modes
            ]
            for phase, mode in _states()
            if any(phase in row.phases and mode in row.modes for row in ACTIVITIES)
        },
        "rules": [rule.described() for rule in RULES],
    }


def meanings() -> dict[str, str]:
    """Return the meaning of each condition of the rules."""
    return {
        condition.__name__: (condition.__doc__ or "").splitlines()[0]
        for rule in RULES
        for condition in rule.conditions
    }


def _states() -> Iterator[tuple[Phase, Mode]]:
    return ((phase, mode) for phase in Phase for mode in Mode if possible(phase, mode))
