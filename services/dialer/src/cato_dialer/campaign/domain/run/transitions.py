"""The states of a run and the transitions between them, as tables.

`Run` refuses every decision that `TRANSITIONS` does not list; `docs/state-machines.md` prints both tables.
"""

from dataclasses import dataclass
from enum import StrEnum


class Phase(StrEnum):
    """How far the waves of a run are."""

    WAITING = "waiting"
    CALLING = "calling"
    BETWEEN_WAVES = "between waves"
    ENDED = "ended"


class Mode(StrEnum):
    """The order of a user or of the expiry. A stopped or expired run is being ended."""

    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    EXPIRED = "expired"


_NOT_ENDED = (Phase.WAITING, Phase.CALLING, Phase.BETWEEN_WAVES)
_NOT_CALLING = (Phase.WAITING, Phase.BETWEEN_WAVES)
_NOT_ENDING = (Mode.RUNNING, Mode.PAUSED)
_ENDING = (Mode.STOPPED, Mode.EXPIRED)


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
    Transition("begin_wave", _NOT_CALLING, (Mode.RUNNING,), "run-wave-started", phase=Phase.CALLING),
    Transition("close_wave", (Phase.CALLING,), tuple(Mode), "run-wave-ended", phase=Phase.BETWEEN_WAVES),
    Transition("pause", _NOT_ENDED, (Mode.RUNNING,), "run-paused", mode=Mode.PAUSED),
    # A run that is paused or ending can still be ordered to hang up, once.
    Transition("pause_and_hang_up", _NOT_ENDED, _NOT_ENDING, "run-paused", mode=Mode.PAUSED),
    Transition("resume", _NOT_ENDED, (Mode.PAUSED,), "run-resumed", mode=Mode.RUNNING),
    Transition("stop", _NOT_ENDED, _NOT_ENDING, "run-stopping", mode=Mode.STOPPED),
    Transition("stop_and_hang_up", _NOT_ENDED, _NOT_ENDING, "run-stopping", mode=Mode.STOPPED),
    Transition("stop_and_hang_up", _NOT_ENDED, _ENDING, "run-stopping"),
    Transition("expire", _NOT_ENDED, _NOT_ENDING, "run-stopping", mode=Mode.EXPIRED),
    Transition("end_finished", _NOT_CALLING, _NOT_ENDING, "run-ended", phase=Phase.ENDED),
    Transition("end_as_decided", _NOT_ENDED, (Mode.STOPPED,), "run-ended", phase=Phase.ENDED),
    # An expired wave is closed first: every subscriber in it gets a result.
    Transition("end_as_decided", _NOT_CALLING, (Mode.EXPIRED,), "run-ended", phase=Phase.ENDED),
)

ACTIVITIES: tuple[Activity, ...] = (
    Activity("wait_for_time", _NOT_CALLING, (Mode.RUNNING,)),
    Activity("wait_for_resume", _NOT_CALLING, (Mode.PAUSED,)),
    Activity("dial", (Phase.CALLING,), _NOT_ENDING),
    Activity("await_calls_drained", (Phase.CALLING,), _ENDING),
    Activity("await_calls_drained", (Phase.BETWEEN_WAVES,), tuple(Mode)),
    Activity("fail_remaining", (Phase.CALLING,), (Mode.EXPIRED,)),
    Activity("release", (Phase.ENDED,), tuple(Mode)),
)


def transition(by: str, phase: Phase, mode: Mode) -> Transition | None:
    """Return the transition that this command or rule makes in this state, None if there is none."""
    return next(
        (row for row in TRANSITIONS if row.by == by and phase in row.phases and mode in row.modes), None
    )


def state_name(phase: Phase, mode: Mode) -> str:
    """Return the name of a state in documents, without the number of the wave."""
    return phase if phase is Phase.ENDED or mode is Mode.RUNNING else f"{phase}, {mode}"
