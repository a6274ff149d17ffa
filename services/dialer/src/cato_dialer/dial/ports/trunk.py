"""The trunk: what carries calls to a station. No SIP engine shows through here."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol
from uuid import UUID

from cato_runtime.station_config import StationConfig


@dataclass(frozen=True, slots=True)
class CallOrder:
    """A call to be made.

    `number` is as the station wants it dialled. `audio` is an A-law WAV (8 kHz, mono, whole frames of 160
    bytes) that is played once from the moment of the answer. `heard_threshold_ms`: report once when that much
    of it has been sent, None for no such report. `not_before` and `not_after` bound the time at which the
    request is sent: the order may come earlier, and if it is too late the line is released as missed.
    """

    call_id: UUID
    station: StationConfig
    number: str
    audio: Path
    heard_threshold_ms: int | None = None
    not_before: datetime | None = None
    not_after: datetime | None = None


class DigitSource(StrEnum):
    """How a digit reached us."""

    RTP_EVENT = "rfc4733"
    SIP_INFO = "info"
    IN_BAND = "inband"


@dataclass(frozen=True, slots=True)
class LineEvent:
    """Something that happened on the line; `at` is Unix time in ms when it did."""

    at: int


@dataclass(frozen=True, slots=True)
class LineTrying(LineEvent):
    """100 from the station."""


@dataclass(frozen=True, slots=True)
class LineRinging(LineEvent):
    """180, or another provisional response that is neither 100 nor 183."""

    sip_code: int
    phrase: str


@dataclass(frozen=True, slots=True)
class LineProgress(LineEvent):
    """183, with or without early media: not an answer."""


@dataclass(frozen=True, slots=True)
class LineAnswered(LineEvent):
    """200 to our INVITE."""


@dataclass(frozen=True, slots=True)
class LinePlaybackStarted(LineEvent):
    """The first packet of the audio has been sent, or is being sent."""


@dataclass(frozen=True, slots=True)
class LineHeard(LineEvent):
    """The threshold of the order has been reached; `heard_ms` of the audio have been sent by now."""

    heard_ms: int


@dataclass(frozen=True, slots=True)
class LinePlaybackFinished(LineEvent):
    """The last packet of the audio has been sent."""

    heard_ms: int


@dataclass(frozen=True, slots=True)
class LineDigit(LineEvent):
    """A digit of `0-9*#A-D` that the other end keyed."""

    digit: str
    source: DigitSource


class ReleaseCause(StrEnum):
    """Why a line was released."""

    REJECTED = "rejected"
    """A final response other than 2xx; `sip_code` has it."""
    REMOTE_HANGUP = "remote-hangup"
    """BYE from the other end."""
    LOCAL_HANGUP = "local-hangup"
    """We hung up: cancelled before, or BYE after the answer."""
    NO_RESPONSE = "no-response"
    """The station never answered our request (timer B), or the transport failed."""
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


class Line(Protocol):
    """One call on the trunk."""

    def events(self) -> AsyncIterator[LineEvent]:
        """Yield what happens, in order; ends after `LineReleased`, which always comes."""
        ...

    async def hang_up(self) -> None:
        """Cancel or end the call; repeated or late calls do nothing. `LineReleased` follows."""
        ...


class Trunk(Protocol):
    """The engine: a number of lines that can be in use at once."""

    @property
    def capacity(self) -> int:
        """Calls at once that the engine can carry now."""
        ...

    @property
    def media_lag_ms(self) -> int:
        """How far the slowest playback was behind the clock lately."""
        ...

    @property
    def loop_lag_ms(self) -> int:
        """How late the engine came round to what was to be done lately."""
        ...

    async def open(self) -> None: ...

    async def line_free(self) -> None:
        """Return once the engine can take another order; at once if it can now.

        This reserves nothing: another order may come first, and the line is then released as `NOT_SENT`.
        """
        ...

    def place(self, order: CallOrder) -> Line:
        """Start a call; whatever goes wrong shows up as `LineReleased` of the line."""
        ...

    async def close(self) -> None:
        """Hang up what is left and end the engine."""
        ...
