"""The state of a call, its inputs and its effects. Times are Unix ms."""

import re
from dataclasses import dataclass, field
from enum import StrEnum

from cato_contracts.messages.calls import CallEventKind
from cato_dialer.dial.domain.call.line_events import LINE_EVENTS, LineEvent, LineReleased, ReleaseCause
from cato_dialer.dial.domain.call.rules import CONFIRMATION_MS, RELEASE_MS, CallRules


class Phase(StrEnum):
    """The phases of a call."""

    DIALLING = "dialling"
    """Ordered; it does not ring yet."""
    RINGING = "ringing"
    TALKING = "talking"
    """Answered; the prompt plays or will play."""
    LISTENING = "listening"
    """The prompt has ended; the code may still be keyed."""
    ANNOUNCING = "announcing"
    """The person has opted out, and hears the prompt for that."""
    RELEASING = "releasing"
    """We have hung up and wait for the release of the line."""
    ENDED = "ended"


class Timer(StrEnum):
    """The limits of a call."""

    SETUP = "setup"
    ANSWER = "answer"
    DURATION = "duration"
    CONFIRMATION = "confirmation"
    RELEASE = "release"


TIMER_LIMITS: dict[Timer, str] = {
    Timer.SETUP: "the station's `maxSetupDelayS`, from the order on",
    Timer.ANSWER: "`maxAnswerDelayS`, or the station's if that is 0, from the first ringing on",
    Timer.DURATION: "`maxCallDurationS`, from the answer on",
    Timer.CONFIRMATION: f"{CONFIRMATION_MS // 1000} s, from the end of the prompt on",
    Timer.RELEASE: f"{RELEASE_MS // 1000} s, from our hanging up on",
}
"""How long each timer runs, for documents."""


@dataclass(frozen=True, slots=True)
class TimerExpired:
    """A timer of the call has expired."""

    timer: Timer
    at: int


@dataclass(frozen=True, slots=True)
class HangUpOrdered:
    """The operator, or a shutdown, ends the call."""

    at: int


CallInput = LineEvent | TimerExpired | HangUpOrdered
"""The inputs of a call."""

Trigger = type[LineEvent] | type[HangUpOrdered] | ReleaseCause | Timer
"""What the table distinguishes: the kind of event, the cause of a release, the timer that expired."""

TRIGGERS: tuple[Trigger, ...] = (
    *(kind for kind in LINE_EVENTS if kind is not LineReleased),
    *ReleaseCause,
    *Timer,
    HangUpOrdered,
)


def trigger_of(happened: CallInput) -> Trigger:
    """Return the trigger of an input."""
    if isinstance(happened, LineReleased):
        return happened.cause
    if isinstance(happened, TimerExpired):
        return happened.timer
    return type(happened)


def trigger_name(trigger: Trigger) -> str:
    """Return the name of a trigger in documents: `playback-started`, `rejected`, `setup-expired`."""
    if isinstance(trigger, Timer):
        return f"{trigger}-expired"
    if isinstance(trigger, ReleaseCause):
        return trigger.value
    if trigger is HangUpOrdered:
        return "hang-up"
    return re.sub("(?<=[a-z])(?=[A-Z])", "-", trigger.__name__.removeprefix("Line")).lower()


@dataclass(frozen=True, slots=True)
class Call:
    """`success` and `failure` are reasons, None until decided; `seen`: the provisional codes on record.

    `part` counts what was played so far: 0 for the prompt, one more each time that something else begins.
    """

    rules: CallRules
    phase: Phase = Phase.DIALLING
    answered: bool = False
    success: str | None = None
    failure: str | None = None
    digits: str = ""
    heard_ms: int = 0
    opted_out: bool = False
    part: int = 0
    seen: frozenset[int] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class Publish:
    """Record an event of the call; the last five fields belong to the final kinds."""

    kind: CallEventKind
    at: int
    digit: str | None = None
    sip_code: int | None = None
    reason_phrase: str | None = None
    reason: str | None = None
    heard_ms: int | None = None
    success: bool = False
    reason_header: str | None = None


@dataclass(frozen=True, slots=True)
class Succeed:
    """Record the subscriber's result now: the success condition is met."""

    at: int
    reason: str


@dataclass(frozen=True, slots=True)
class StartTimer:
    """Start the timer so that it expires at `at`."""

    timer: Timer
    at: int


@dataclass(frozen=True, slots=True)
class StopTimer:
    """Stop the timer, if it runs."""

    timer: Timer


@dataclass(frozen=True, slots=True)
class HangUp:
    """Cancel or end the call on the line."""


@dataclass(frozen=True, slots=True)
class Play:
    """Play something from its start in place of what plays now.

    `part` tells its end from that of what played before. It is the prompt again, or the `announcement`.
    """

    part: int
    announcement: bool = False


Effect = Publish | Succeed | StartTimer | StopTimer | HangUp | Play
