"""What the supervisor and a worker say to each other: one JSON object per line, over the worker's pipes.

Plain dataclasses and nothing from the ports: a worker imports this at start, and two dozen start at once.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any


class WireError(ValueError):
    """A line that is none of our messages."""


@dataclass(frozen=True, slots=True)
class Configure:
    """The first message to a worker. The RTP ports are a range, both ends included, that begins even."""

    calls: int
    bind_address: str
    public_address: str | None
    rtp_port_from: int
    rtp_port_till: int
    sip_log_level: int


@dataclass(frozen=True, slots=True)
class Peer:
    """Who we are to a station and how requests get there.

    `route` is where they go when the station's host is a name: the address it was resolved to.
    """

    identity: str
    transport: str
    route: str | None = None
    username: str | None = None
    password: str | None = None
    realm: str = "*"
    tls: tuple[str, str, str, bool] | None = None
    """Files of the authorities, our certificate and its key, `` for none; and whether to verify."""
    srtp: str = "off"
    """`srtp` and `session_timers` as the station's configuration has them."""
    session_timers: str = "optional"
    session_expires_s: int = 1_800


@dataclass(frozen=True, slots=True)
class Place:
    """Make a call. `line` is the supervisor's name for it and never used again."""

    line: int
    target: str
    peer: Peer
    codecs: tuple[str, ...]
    audio: str
    heard_threshold_ms: int | None
    dtmf: tuple[str, ...] = ("rfc4733", "info")
    """As the station's configuration has it."""
    not_before: int | None = None
    """Unix ms, as is the next."""
    not_after: int | None = None


@dataclass(frozen=True, slots=True)
class HangUp:
    line: int


@dataclass(frozen=True, slots=True)
class Register:
    """Register with a station, or do so again; it is renewed by itself until it fails."""

    station: str
    registrar: str
    peer: Peer
    expires_s: int


@dataclass(frozen=True, slots=True)
class Unregister:
    station: str


@dataclass(frozen=True, slots=True)
class Ready:
    """The library runs and carries so many calls."""

    calls: int


@dataclass(frozen=True, slots=True)
class Refused:
    """The worker cannot start; it ends after this."""

    reason: str


@dataclass(frozen=True, slots=True)
class Beat:
    """Twice a second: the worst since the last one.

    `loop_lag_ms`: how late the loop came round; `media_lag_ms`: how far a playback was behind the clock.
    """

    loop_lag_ms: int
    media_lag_ms: int


@dataclass(frozen=True, slots=True)
class Freed:
    """So many calls in all are over inside the library too; a released line may linger there for a while."""

    calls: int


@dataclass(frozen=True, slots=True)
class Registered:
    """The outcome of a registration, a renewal or a goodbye; `code` is 0 where it was not even sent."""

    station: str
    code: int
    phrase: str
    expires_s: int


@dataclass(frozen=True, slots=True)
class OfLine:
    """Of a line's events; `at` is Unix time in ms."""

    line: int
    at: int


@dataclass(frozen=True, slots=True)
class Sent(OfLine):
    """The INVITE has left the worker: from here on there is a call."""


@dataclass(frozen=True, slots=True)
class Trying(OfLine):
    pass


@dataclass(frozen=True, slots=True)
class Ringing(OfLine):
    code: int
    phrase: str


@dataclass(frozen=True, slots=True)
class Progress(OfLine):
    pass


@dataclass(frozen=True, slots=True)
class Answered(OfLine):
    pass


@dataclass(frozen=True, slots=True)
class PlaybackStarted(OfLine):
    pass


@dataclass(frozen=True, slots=True)
class Heard(OfLine):
    heard_ms: int


@dataclass(frozen=True, slots=True)
class PlaybackFinished(OfLine):
    heard_ms: int


@dataclass(frozen=True, slots=True)
class Digit(OfLine):
    digit: str
    source: str


@dataclass(frozen=True, slots=True)
class Released(OfLine):
    """`cause` is a value of the port's `ReleaseCause`."""

    cause: str
    code: int | None
    phrase: str
    heard_ms: int


ToWorker = Configure | Place | HangUp | Register | Unregister
FromWorker = (
    Ready
    | Refused
    | Beat
    | Freed
    | Registered
    | Sent
    | Trying
    | Ringing
    | Progress
    | Answered
    | PlaybackStarted
    | Heard
    | PlaybackFinished
    | Digit
    | Released
)
Message = ToWorker | FromWorker

_TYPES: dict[str, type[Any]] = {kind.__name__: kind for kind in (*ToWorker.__args__, *FromWorker.__args__)}


def encode(message: Message) -> bytes:
    return json.dumps({"type": type(message).__name__, **asdict(message)}).encode() + b"\n"


def decode(line: bytes) -> Message:
    """Raises: WireError."""
    try:
        fields = json.loads(line)
        kind = _TYPES[fields.pop("type")]
        if "peer" in fields:
            fields["peer"] = Peer(**{key: _frozen(value) for key, value in fields["peer"].items()})
        message: Message = kind(**{key: _frozen(value) for key, value in fields.items()})
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise WireError(f"not a message: {line[:200]!r}") from error
    return message


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
