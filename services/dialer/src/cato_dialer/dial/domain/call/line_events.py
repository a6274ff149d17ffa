"""The events of a line: the one vocabulary of worker, pipe, trunk port and call machine.

This module imports the standard library alone: a SIP worker loads it at start, and two dozen start at once.

The way of an event from PJSIP to the log is listed in docs/architecture.md.
"""

from dataclasses import dataclass
from enum import StrEnum


class DigitSource(StrEnum):
    """How a digit was sent."""

    RTP_EVENT = "rfc4733"
    SIP_INFO = "info"
    IN_BAND = "inband"


@dataclass(frozen=True, slots=True)
class LineEvent:
    """An event of a line; `at` is its Unix time in ms."""

    at: int


@dataclass(frozen=True, slots=True)
class LineTrying(LineEvent):
    """The station sent 100."""


@dataclass(frozen=True, slots=True)
class LineRinging(LineEvent):
    """The station sent 180, or another provisional response that is neither 100 nor 183."""

    sip_code: int
    phrase: str


@dataclass(frozen=True, slots=True)
class LineProgress(LineEvent):
    """The station sent 183, with or without early media: not an answer."""


@dataclass(frozen=True, slots=True)
class LineAnswered(LineEvent):
    """The station sent 200 to our INVITE."""


@dataclass(frozen=True, slots=True)
class LinePlaybackStarted(LineEvent):
    """The first packet of the audio has been sent, or is being sent."""


@dataclass(frozen=True, slots=True)
class LineHeard(LineEvent):
    """The threshold of the order has been reached: `heard_ms` of the audio have been sent."""

    heard_ms: int


@dataclass(frozen=True, slots=True)
class LinePlaybackFinished(LineEvent):
    """The last packet of a part has been sent: of the audio of the order (0), or of what `Line.play` ordered.

    `heard_ms` is that of the audio of the order, as in all events: the most of it that was sent in one go.
    """

    heard_ms: int
    part: int = 0


@dataclass(frozen=True, slots=True)
class LineDigit(LineEvent):
    """The called person pressed a key of `0-9*#A-D`."""

    digit: str
    source: DigitSource


class ReleaseCause(StrEnum):
    """Why a line was released."""

    REJECTED = "rejected"
    """The station sent a final response other than 2xx; `sip_code` holds it."""
    REMOTE_HANGUP = "remote-hangup"
    """The other end sent BYE."""
    LOCAL_HANGUP = "local-hangup"
    """We sent CANCEL or BYE, or withdrew the order before its INVITE."""
    NO_RESPONSE = "no-response"
    """The station did not answer our request (timer B), or the transport failed."""
    NO_MEDIA = "no-media"
    """The station answered, and its description has no audio that we can send to."""
    NO_COMMON_CODEC = "no-common-codec"
    """The station answered, and its description has none of the codecs that we offered."""
    FAULT = "fault"
    """The engine or its process failed; `phrase` says how."""
    MISSED = "missed"
    """The order reached the engine after `not_after`: no request was sent."""
    NOT_SENT = "not-sent"
    """No request was sent: no worker took the order, its worker ended before, or the engine cannot use the
    station, the number or the prompt; `phrase` says why."""


@dataclass(frozen=True, slots=True)
class LineReleased(LineEvent):
    """The last event of every line. `heard_ms`: audio sent in all; `sip_code`: the final response, if any.

    `reason_header`: what the station said about the reason in `Reason` and `Warning`. `retry_after_s`: the
    pause that the final response asked for. `rtp_sent`: packets of audio sent; `rtp_lost`: those of them that
    the far end missed, by its last RTCP report, None if it sent none.
    """

    cause: ReleaseCause
    sip_code: int | None
    phrase: str
    heard_ms: int
    reason_header: str | None = None
    retry_after_s: int | None = None
    rtp_sent: int = 0
    rtp_lost: int | None = None


LINE_EVENTS: tuple[type[LineEvent], ...] = (
    LineTrying,
    LineRinging,
    LineProgress,
    LineAnswered,
    LinePlaybackStarted,
    LineHeard,
    LinePlaybackFinished,
    LineDigit,
    LineReleased,
)
"""All of them, in the order of a long call."""
