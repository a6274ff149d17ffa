"""The messages between the supervisor and a worker: one JSON object per line, over the worker's pipes.

Plain dataclasses without pydantic: a worker imports this at start, and two dozen start at once.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from cato_dialer.dial.domain.call.line_events import LINE_EVENTS, DigitSource, LineEvent, ReleaseCause

ACCOUNTS_AT_MOST = 6
"""Accounts in one worker. PJSUA_MAX_ACC is 8 unless the library was built otherwise, and it aborts beyond."""


class ProtocolError(ValueError):
    """The line is not a message of this protocol."""


@dataclass(frozen=True, slots=True)
class Configure:
    """The first message to a worker. The RTP ports are a range, both ends included; the first one is even."""

    calls: int
    bind_address: str
    public_address: str | None
    rtp_port_from: int
    rtp_port_till: int
    sip_log_level: int
    calls_file: str = ""
    """The lock that each process with calls of the dialer holds ("": none)."""


@dataclass(frozen=True, slots=True)
class SipIdentity:
    """Our identity at a station and the way to it.

    `route` is the resolved address, as a route, if the station's host is a name.
    """

    uri: str
    transport: str
    route: str | None = None
    username: str | None = None
    password: str | None = None
    realm: str = "*"
    tls: tuple[str, str, str, bool] | None = None
    """The files of the authorities, of our certificate and of its key, "" for none; whether to verify."""
    srtp: str = "off"
    """`srtp` and `session_timers` as in the station's configuration."""
    session_timers: str = "optional"
    session_expires_s: int = 1_800


@dataclass(frozen=True, slots=True)
class Place:
    """Make a call. `line` is the number that the supervisor gives it; no number is used twice."""

    line: int
    target: str
    identity: SipIdentity
    codecs: tuple[str, ...]
    audio: str
    heard_threshold_ms: int | None
    dtmf: tuple[str, ...] = ("rfc4733", "info")
    """As in the station's configuration."""
    not_before: int | None = None
    """Unix ms, as is `not_after`."""
    not_after: int | None = None


@dataclass(frozen=True, slots=True)
class Play:
    """Play a file from its start in place of what plays. `counts`: it is the prompt, which is heard."""

    line: int
    part: int
    audio: str
    counts: bool


@dataclass(frozen=True, slots=True)
class HangUp:
    """Cancel or end the call of a line."""

    line: int


@dataclass(frozen=True, slots=True)
class Register:
    """Register with a station, or register again; the library renews the registration until it fails."""

    station: str
    registrar: str
    identity: SipIdentity
    expires_s: int


@dataclass(frozen=True, slots=True)
class Unregister:
    """End the registration with a station."""

    station: str


@dataclass(frozen=True, slots=True)
class Trace:
    """Pass on all messages of SIP from now on, or no more."""

    on: bool


@dataclass(frozen=True, slots=True)
class Ready:
    """The library runs; it carries `calls` calls at once."""

    calls: int


@dataclass(frozen=True, slots=True)
class Refused:
    """The worker cannot start; it ends after this message."""

    reason: str


@dataclass(frozen=True, slots=True)
class Beat:
    """Sent twice a second, with the worst lags since the last beat.

    `loop_lag_ms`: how late the event loop was; `media_lag_ms`: how far a playback was behind the clock.
    """

    loop_lag_ms: int
    media_lag_ms: int


@dataclass(frozen=True, slots=True)
class Freed:
    """`calls` in all have left the library, too: it keeps a released line for a while."""

    calls: int


@dataclass(frozen=True, slots=True)
class Registered:
    """The outcome of a REGISTER of any kind; `code` is 0 if it was not sent."""

    station: str
    code: int
    phrase: str
    expires_s: int


@dataclass(frozen=True, slots=True)
class InviteSent:
    """The INVITE leaves the worker now: from here on there may be a call."""

    line: int


@dataclass(frozen=True, slots=True)
class Signalled:
    """The INVITE of a line that is about to be sent to `peer`, or a response to it: its head.

    With these the supervisor can hang up if this worker dies. Over UDP only.
    """

    line: int
    text: str
    peer: str


@dataclass(frozen=True, slots=True)
class CallNamed:
    """The `Call-ID` of the INVITE of a line."""

    line: int
    sip_call_id: str


@dataclass(frozen=True, slots=True)
class SipMessage:
    """A message of SIP as it was sent or received; `text` has a character for each byte (ISO 8859-1).

    The address `0.0.0.0` stands for one that is not known.
    """

    at_us: int
    sent: bool
    transport: str
    local: tuple[str, int]
    remote: tuple[str, int]
    text: str


@dataclass(frozen=True, slots=True)
class LineReport:
    """An event of a line."""

    line: int
    event: LineEvent


@dataclass(frozen=True, slots=True)
class Gone:
    """The far end of a released line has no call any more (`Line.gone`)."""

    line: int


ToWorker = Configure | Place | Play | HangUp | Register | Unregister | Trace
OfLine = InviteSent | CallNamed | Signalled | LineReport | Gone
FromWorker = Ready | Refused | Beat | Freed | Registered | SipMessage | OfLine
Message = ToWorker | FromWorker

_TYPES: dict[str, type[Any]] = {
    kind.__name__: kind for kind in (*ToWorker.__args__, *FromWorker.__args__, *LINE_EVENTS)
}
_VALUES: dict[str, Callable[[Any], Any]] = {
    "identity": lambda fields: _made(SipIdentity, fields),
    "event": lambda fields: _made(_TYPES[fields.pop("type")], fields),
    "cause": ReleaseCause,
    "source": DigitSource,
}
"""How the values of fields are read that are not plain JSON."""


def encode(message: Message) -> bytes:
    """Return the message as a line of JSON."""
    fields = {"type": type(message).__name__, **asdict(message)}
    if isinstance(message, LineReport):
        fields["event"]["type"] = type(message.event).__name__
    return json.dumps(fields).encode() + b"\n"


def decode(line: bytes) -> Message:
    """Raises: ProtocolError."""
    try:
        fields = json.loads(line)
        message: Message = _made(_TYPES[fields.pop("type")], fields)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ProtocolError(f"not a message: {line[:200]!r}") from error
    return message


def _made(kind: type[Any], fields: dict[str, Any]) -> Any:
    return kind(**{name: _VALUES.get(name, _frozen)(value) for name, value in fields.items()})


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
