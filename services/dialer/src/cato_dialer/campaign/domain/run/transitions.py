"""The states of a run and the transitions between them, as tables.

`Run` refuses every decision that `TRANSITIONS` does not list; `docs/state-machines.md` prints both tables.
"""

from dataclasses import dataclass
from enum import StrEnum


class Phase(StrEnum):
    """How far the waves of a run are."""

    WAITING = "waiting"
    AWAITING_APPROVAL = "awaiting approval"
    CALLING = "calling"
    BETWEEN_WAVES = "between waves"
    ENDED = "ended"


class Mode(StrEnum):
    """The order of a user or of the expiry, or the want of a station.

    A run that is stopped, expired, given up or not approved is being ended.
    """

    RUNNING = "running"
    NO_STATION = "no station"
    PAUSED = "paused"
    STOPPED = "stopped"
    EXPIRED = "expired"
    GIVEN_UP = "given up"
    NOT_APPROVED = "not approved"


_NOT_ENDED = (Phase.WAITING, Phase.AWAITING_APPROVAL, Phase.CALLING, Phase.BETWEEN_WAVES)
_NOT_CALLING = (Phase.WAITING, Phase.AWAITING_APPROVAL, Phase.BETWEEN_WAVES)
_MAY_BEGIN = (Phase.WAITING, Phase.BETWEEN_WAVES)
_NOT_ENDING = (Mode.RUNNING, Mode.PAUSED)
_ENDING = (Mode.STOPPED, Mode.EXPIRED)
# A run waits for a station, and gives up, in a wave only.
_CALLING = (Phase.CALLING,)
_NO_STATION = (Mode.NO_STATION,)
_GIVEN_UP = (Mode.GIVEN_UP,)
_UNAPPROVED = (Phase.AWAITING_APPROVAL,)
_NOT_APPROVED = (Mode.NOT_APPROVED,)
_BUT_NO_STATION = tuple(mode for mode in Mode if mode is not Mode.NO_STATION)


@dataclass(frozen=True, slots=True)
class Transition:
    """`by` is a user's command or a rule of `next_step`; None in `phase` or `mode` leaves it as it is."""

    by: str
    phases: tuple[Phase, ...]
    modes: tuple[Mode, ...]
    event: str
    phase: Phase | None = None
    mode: Mode | None = None


@dataclass(frozen=True, slots=True)
class Activity:
    """A rule of `next_step` that may apply in these states and decides nothing."""

    by: str
    phases: tuple[Phase, ...]
    modes: tuple[Mode, ...]


TRANSITIONS: tuple[Transition, ...] = (
    Transition("approve", _UNAPPROVED, _NOT_ENDING, "run-approved", phase=Phase.WAITING),
    Transition("reject", _UNAPPROVED, _NOT_ENDING, "run-rejected", mode=Mode.NOT_APPROVED),
    Transition("expire_approval", _UNAPPROVED, _NOT_ENDING, "run-approval-expired", mode=Mode.NOT_APPROVED),
    Transition("begin_wave", _MAY_BEGIN, (Mode.RUNNING,), "run-wave-started", phase=Phase.CALLING),
    # A run that is not approved has one wave without calls, in which every subscriber gets a result.
    Transition("begin_wave", _UNAPPROVED, _NOT_APPROVED, "run-wave-started", phase=Phase.CALLING),
    Transition("close_wave", _CALLING, _BUT_NO_STATION, "run-wave-ended", phase=Phase.BETWEEN_WAVES),
    Transition("close_wave", _CALLING, _NO_STATION, "run-wave-ended", Phase.BETWEEN_WAVES, Mode.RUNNING),
    Transition("await_station", _CALLING, (Mode.RUNNING,), "run-stations-down", mode=Mode.NO_STATION),
    Transition("go_on", _CALLING, _NO_STATION, "run-stations-up", mode=Mode.RUNNING),
    Transition("give_up", _CALLING, _NO_STATION, "run-stopping", mode=Mode.GIVEN_UP),
    Transition("pause", _NOT_ENDED, (Mode.RUNNING,), "run-paused", mode=Mode.PAUSED),
    # A run that is paused or ending can still be ordered to hang up, once.
    Transition("pause_and_hang_up", _NOT_ENDED, _NOT_ENDING, "run-paused", mode=Mode.PAUSED),
    Transition("resume", _NOT_ENDED, (Mode.PAUSED,), "run-resumed", mode=Mode.RUNNING),
    Transition("stop", _NOT_ENDED, _NOT_ENDING, "run-stopping", mode=Mode.STOPPED),
    Transition("stop_and_hang_up", _NOT_ENDED, _NOT_ENDING, "run-stopping", mode=Mode.STOPPED),
    Transition("stop_and_hang_up", _NOT_ENDED, _ENDING, "run-stopping"),
    Transition("expire", _NOT_ENDED, _NOT_ENDING, "run-stopping", mode=Mode.EXPIRED),
    Transition("pause", _CALLING, _NO_STATION, "run-paused", mode=Mode.PAUSED),
    Transition("pause_and_hang_up", _CALLING, _NO_STATION, "run-paused", mode=Mode.PAUSED),
    Transition("stop", _CALLING, _NO_STATION, "run-stopping", mode=Mode.STOPPED),
    Transition("stop_and_hang_up", _CALLING, _NO_STATION, "run-stopping", mode=Mode.STOPPED),
    Transition("stop_and_hang_up", (Phase.CALLING, Phase.BETWEEN_WAVES), _GIVEN_UP, "run-stopping"),
    Transition("expire", _CALLING, _NO_STATION, "run-stopping", mode=Mode.EXPIRED),
    Transition("end_finished", _NOT_CALLING, _NOT_ENDING, "run-ended", phase=Phase.ENDED),
    Transition("end_as_decided", _NOT_ENDED, (Mode.STOPPED,), "run-ended", phase=Phase.ENDED),
    # The wave of a run that has expired or given up is closed first: every subscriber in it gets a result.
    Transition("end_as_decided", _NOT_CALLING, (Mode.EXPIRED,), "run-ended", phase=Phase.ENDED),
    Transition(
        "end_as_decided",
        (Phase.BETWEEN_WAVES,),
        (Mode.GIVEN_UP, Mode.NOT_APPROVED),
        "run-ended",
        phase=Phase.ENDED,
    ),
)

ACTIVITIES: tuple[Activity, ...] = (
    Activity("wait_for_approval", _UNAPPROVED, _NOT_ENDING),
    Activity("wait_for_time", _MAY_BEGIN, (Mode.RUNNING,)),
    Activity("wait_for_resume", _MAY_BEGIN, (Mode.PAUSED,)),
    Activity("dial", _CALLING, (*_NOT_ENDING, Mode.NO_STATION)),
    Activity("await_calls_drained", _CALLING, (*_ENDING, Mode.GIVEN_UP)),
    Activity("await_calls_drained", (Phase.BETWEEN_WAVES,), (*_NOT_ENDING, *_ENDING, Mode.GIVEN_UP)),
    Activity("fail_remaining", _CALLING, (Mode.EXPIRED, Mode.GIVEN_UP, Mode.NOT_APPROVED)),
    Activity("release", (Phase.ENDED,), _BUT_NO_STATION),
)


def transition(by: str, phase: Phase, mode: Mode) -> Transition | None:
    """Return the transition that this command or rule makes in this state, None if there is none."""
    return next(
        (row for row in TRANSITIONS if row.by == by and phase in row.phases and mode in row.modes), None
    )


def possible(phase: Phase, mode: Mode) -> bool:
    """Return whether a run can be in this state."""
    if mode is Mode.NO_STATION:
        return phase is Phase.CALLING
    if mode is Mode.GIVEN_UP:
        return phase not in {Phase.WAITING, Phase.AWAITING_APPROVAL}
    return mode is not Mode.NOT_APPROVED or phase is not Phase.WAITING


def state_name(phase: Phase, mode: Mode) -> str:
    """Return the name of a state in documents, without the number of the wave."""
    return phase if phase is Phase.ENDED or mode is Mode.RUNNING else f"{phase}, {mode}"
