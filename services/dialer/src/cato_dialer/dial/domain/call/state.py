"""A call's state, what can happen to it, and what it can ask for. Times are Unix ms."""

from dataclasses import dataclass, field
from enum import StrEnum

from cato_contracts.calls import CallEventKind
from cato_dialer.dial.domain.call.rules import CallRules


class Phase(StrEnum):
    """Where a call is."""

    DIALLING = "dialling"
    """Asked for; nothing has rung."""
    RINGING = "ringing"
    TALKING = "talking"
    """Answered; the prompt plays, or is about to."""
    LISTENING = "listening"
    """The prompt has ended and the code may still be keyed."""
    RELEASING = "releasing"
    """We have hung up and wait for the line to go away."""
    ENDED = "ended"


class Timer(StrEnum):
    """The limits of a call."""

    SETUP = "setup"
    ANSWER = "answer"
    DURATION = "duration"
    CONFIRMATION = "confirmation"
    RELEASE = "release"


class Trigger(StrEnum):
    """What can happen: on the line, by the clock (`*_EXPIRED`), by order (`HANG_UP`)."""

    TRYING = "trying"
    RINGING = "ringing"
    PROGRESS = "progress"
    ANSWERED = "answered"
    PLAYBACK_STARTED = "playback-started"
    HEARD = "heard"
    PLAYBACK_FINISHED = "playback-finished"
    DIGIT = "digit"
    REJECTED = "rejected"
    REMOTE_HANGUP = "remote-hangup"
    LOCAL_HANGUP = "local-hangup"
    NO_RESPONSE = "no-response"
    FAULT = "fault"
    SETUP_EXPIRED = "setup-expired"
    ANSWER_EXPIRED = "answer-expired"
    DURATION_EXPIRED = "duration-expired"
    CONFIRMATION_EXPIRED = "confirmation-expired"
    RELEASE_EXPIRED = "release-expired"
    HANG_UP = "hang-up"


EXPIRIES: dict[Timer, Trigger] = {
    Timer.SETUP: Trigger.SETUP_EXPIRED,
    Timer.ANSWER: Trigger.ANSWER_EXPIRED,
    Timer.DURATION: Trigger.DURATION_EXPIRED,
    Timer.CONFIRMATION: Trigger.CONFIRMATION_EXPIRED,
    Timer.RELEASE: Trigger.RELEASE_EXPIRED,
}


@dataclass(frozen=True, slots=True)
class Signal:
    """Something that happened; which of the other fields mean something depends on the trigger."""

    trigger: Trigger
    at: int
    sip_code: int | None = None
    phrase: str = ""
    heard_ms: int = 0
    digit: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """`success` and `failure` are reasons, once decided; `seen` the provisional codes recorded so far."""

    rules: CallRules
    phase: Phase = Phase.DIALLING
    answered: bool = False
    success: str | None = None
    failure: str | None = None
    digits: str = ""
    heard_ms: int = 0
    seen: frozenset[int] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class Publish:
    """An event of the call is to be recorded; the last four fields go with the final kinds."""

    kind: CallEventKind
    at: int
    digit: str | None = None
    sip_code: int | None = None
    reason_phrase: str | None = None
    reason: str | None = None
    heard_ms: int | None = None
    success: bool = False


@dataclass(frozen=True, slots=True)
class Succeed:
    """The condition is met: the subscriber's result is to be recorded now."""

    at: int
    reason: str


@dataclass(frozen=True, slots=True)
class StartTimer:
    """`at` is when it expires."""

    timer: Timer
    at: int


@dataclass(frozen=True, slots=True)
class StopTimer:
    timer: Timer


@dataclass(frozen=True, slots=True)
class HangUp:
    """The line is to be cancelled or ended."""


Effect = Publish | Succeed | StartTimer | StopTimer | HangUp
