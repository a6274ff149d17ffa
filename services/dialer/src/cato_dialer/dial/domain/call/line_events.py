"""The events of a line: the one vocabulary of worker, pipe, trunk port and call machine.

This module imports the standard library alone: a SIP worker loads it at start, and two dozen start at once.

A BYE passes seven hops from PJSIP's callback to the stored event:

1. `worker/library_call.py`: `onCallState` queues the library's event (`pj_events.Over`).
2. `worker/engine.py`: after the library has returned, `Progress` turns it into `LineReleased`.
3. `worker/pipes.py`: the worker writes it to its pipe as a `protocol.LineReport`.
4. `supervisor/worker_process.py`: the parent reads it and puts it into the queue of the `Pjsua2Line`.
5. `handlers/drive_call.py`: the driver passes it to the call machine, which decides what is recorded.
6. `handlers/call_recorder.py`: the recorder builds the `CallEvent` messages and queues them for the log.
7. `adapters/nats/call_journal.py`: the journal appends them to the stream.
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
    """The last packet of the audio has been sent."""

    heard_ms: int


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
    FAULT = "fault"
    """The engine or its process failed; `phrase` says how."""
    MISSED = "missed"
    """The order reached the engine after `not_after`: no request was sent."""
    NOT_SENT = "not-sent"
    """No worker took the order, or its worker ended before the request left; `phrase` says why."""


@dataclass(frozen=True, slots=True)
class LineReleased(LineEvent):
    """The last event of every line. `heard_ms`: audio sent in all; `sip_code`: the final response, if any."""

    cause: ReleaseCause
    sip_code: int | None
    phrase: str
    heard_ms: int


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
