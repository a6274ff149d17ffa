"""The port to the SIP engine that carries the calls. It assumes no particular engine."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol
from uuid import UUID

from cato_dialer.dial.domain.call.line_events import LineEvent
from cato_dialer.dial.domain.station import Station


@dataclass(frozen=True, slots=True)
class CallOrder:
    """An order to call a number.

    `number` is in the form that the station dials. `audio` is an A-law WAV (8 kHz, mono, whole frames of 160
    bytes); it is played once, from the answer on. `heard_threshold_ms`: report once when that much of it has
    been sent; None for no report. `not_before` and `not_after` bound the time at which the INVITE is sent.
    The order may come earlier; if it comes later, the line is released as `MISSED`.
    """

    call_id: UUID
    station: Station
    number: str
    audio: Path
    heard_threshold_ms: int | None = None
    not_before: datetime | None = None
    not_after: datetime | None = None


class Line(Protocol):
    """One call on the trunk."""

    @property
    def sip_call_id(self) -> str | None:
        """The `Call-ID` of the last INVITE that was sent for the call; None before the first."""
        ...

    def events(self) -> AsyncIterator[LineEvent]:
        """Yield the events in order; the last one is `LineReleased`, and it always comes."""
        ...

    async def play(self, part: int, audio: Path | None = None) -> None:
        """Play this file from its start in place of what plays; None: the audio of the order again.

        `LinePlaybackFinished` with this `part` follows. What is heard of another file counts nowhere. Does
        nothing before the answer and after the end.
        """
        ...

    async def hang_up(self) -> None:
        """Cancel or end the call; `LineReleased` follows. Does nothing when repeated or late."""
        ...

    async def gone(self) -> None:
        """Return once the far end has no call any more, after `LineReleased`.

        That is so when it has ended the call itself or has answered our BYE. Without an answer it is when the
        transaction has timed out, or when the last requests of a process that died have been sent several
        times: then the station ends the call by its own timers.
        """
        ...


class Trunk(Protocol):
    """The SIP engine: a number of lines that can be in use at once."""

    @property
    def capacity(self) -> int:
        """The calls at once that the engine can carry now."""
        ...

    @property
    def media_lag_ms(self) -> int:
        """How far the slowest playback is behind the clock, in ms."""
        ...

    @property
    def loop_lag_ms(self) -> int:
        """How late the slowest event loop of the engine is, in ms."""
        ...

    @property
    def has_free_line(self) -> bool:
        """Whether `line_free` would return at once."""
        ...

    async def open(self) -> None: ...

    async def line_free(self) -> None:
        """Return once the engine can take another order; at once if it can now.

        This reserves nothing: another order may come first, and the line is then released as `NOT_SENT`.
        """
        ...

    def place(self, order: CallOrder) -> Line:
        """Start a call; every failure is reported as the `LineReleased` of the line."""
        ...

    async def close(self) -> None:
        """Hang up the calls that are up and end the engine."""
        ...
