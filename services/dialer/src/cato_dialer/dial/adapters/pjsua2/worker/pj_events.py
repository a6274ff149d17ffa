"""What the library's callbacks hand over; `at` is Unix time in ms, taken in the callback."""

from dataclasses import dataclass
from enum import Enum, auto

from cato_dialer.dial.domain.call.line_events import DigitSource


class Origin(Enum):
    """What moved a call."""

    PEER = auto()
    "A message from the other end."
    TIMER = auto()
    "Nothing came for too long."
    TRANSPORT = auto()
    "The message could not be sent, or the connection broke."
    OURSELVES = auto()
    "We, or the library by itself."


@dataclass(frozen=True, slots=True)
class Fact:
    line: int
    at: int


@dataclass(frozen=True, slots=True)
class Provisional(Fact):
    code: int
    phrase: str


@dataclass(frozen=True, slots=True)
class Accepted(Fact):
    """2xx to our INVITE."""


@dataclass(frozen=True, slots=True)
class MediaChanged(Fact):
    """`active`: audio may be sent now."""

    active: bool


@dataclass(frozen=True, slots=True)
class StreamGone(Fact):
    """The RTP stream ends; it has sent so many bytes of audio, None if its count could not be had."""

    sent_bytes: int | None


@dataclass(frozen=True, slots=True)
class Keyed(Fact):
    digit: str
    source: DigitSource


@dataclass(frozen=True, slots=True)
class Over(Fact):
    """The call is over. `request`: the method that ended it, if the other end sent one."""

    origin: Origin
    code: int | None
    phrase: str
    request: str | None = None


@dataclass(frozen=True, slots=True)
class Missed(Fact):
    """It was too late to send anything."""


@dataclass(frozen=True, slots=True)
class Failed(Fact):
    """A callback failed; what came of the call is unknown."""

    why: str
