"""The events that the library's callbacks queue; `at` is Unix time in ms, taken in the callback."""

from dataclasses import dataclass
from enum import Enum, auto

from cato_dialer.dial.domain.call.line_events import DigitSource, ReleaseCause


class Origin(Enum):
    """The origin of a change of state."""

    PEER = auto()
    "A message from the other end."
    TIMER = auto()
    "No message came in time."
    TRANSPORT = auto()
    "The message could not be sent, or the connection was lost."
    OURSELVES = auto()
    "Our own request, or the library itself."


@dataclass(frozen=True, slots=True)
class PjEvent:
    """An event of a line."""

    line: int
    at: int


@dataclass(frozen=True, slots=True)
class Provisional(PjEvent):
    """A provisional response to our INVITE."""

    code: int
    phrase: str


@dataclass(frozen=True, slots=True)
class Signalled(PjEvent):
    """Our INVITE, which was sent to `peer`, or a response to it: its head."""

    text: str
    peer: str


@dataclass(frozen=True, slots=True)
class Accepted(PjEvent):
    """2xx to our INVITE."""


@dataclass(frozen=True, slots=True)
class BadAnswer(PjEvent):
    """A 2xx that no call can be made of. With `discarded` the library does not know of it."""

    cause: ReleaseCause
    why: str
    discarded: bool


@dataclass(frozen=True, slots=True)
class MediaChanged(PjEvent):
    """The state of the media has changed; `active`: audio may be sent now."""

    active: bool


@dataclass(frozen=True, slots=True)
class StreamGone(PjEvent):
    """The RTP stream has ended after `sent_bytes` of audio, None if the count is not known.

    `packets` were sent, of which the far end missed `lost` by its RTCP reports; None without one.
    """

    sent_bytes: int | None
    packets: int = 0
    lost: int | None = None


@dataclass(frozen=True, slots=True)
class Keyed(PjEvent):
    """The called person pressed a key."""

    digit: str
    source: DigitSource


@dataclass(frozen=True, slots=True)
class Over(PjEvent):
    """The call is over. `request`: the method that ended it, if the other end sent one.

    `reason_header`: what its message says about the reason. `retry_after_s`: from the final response.
    """

    origin: Origin
    code: int | None
    phrase: str
    request: str | None = None
    reason_header: str | None = None
    retry_after_s: int | None = None


@dataclass(frozen=True, slots=True)
class Unsent(PjEvent):
    """No INVITE was sent: the order was too late, or the library cannot use it."""

    cause: ReleaseCause
    why: str


@dataclass(frozen=True, slots=True)
class Failed(PjEvent):
    """A callback failed; the state of the call is unknown."""

    why: str
