"""One call as the dial role sees it."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable

from cato_dialer.dial.adapters.pjsua2 import protocol
from cato_dialer.dial.ports.trunk import (
    DigitSource,
    LineAnswered,
    LineDigit,
    LineEvent,
    LineHeard,
    LinePlaybackFinished,
    LinePlaybackStarted,
    LineProgress,
    LineReleased,
    LineRinging,
    LineTrying,
    ReleaseCause,
)


def event_of(message: protocol.OfLine) -> LineEvent:
    """Say what a worker reports in the words of the port."""
    event: LineEvent
    match message:
        case protocol.Trying(at=at):
            event = LineTrying(at)
        case protocol.Ringing(at=at, code=code, phrase=phrase):
            event = LineRinging(at, code, phrase)
        case protocol.Progress(at=at):
            event = LineProgress(at)
        case protocol.Answered(at=at):
            event = LineAnswered(at)
        case protocol.PlaybackStarted(at=at):
            event = LinePlaybackStarted(at)
        case protocol.Heard(at=at, heard_ms=heard_ms):
            event = LineHeard(at, heard_ms)
        case protocol.PlaybackFinished(at=at, heard_ms=heard_ms):
            event = LinePlaybackFinished(at, heard_ms)
        case protocol.Digit(at=at, digit=digit, source=source):
            event = LineDigit(at, digit, DigitSource(source))
        case protocol.Released(at=at, cause=cause, code=code, phrase=phrase, heard_ms=heard_ms):
            event = LineReleased(at, ReleaseCause(cause), code, phrase, heard_ms)
        case _:
            raise protocol.WireError(f"not an event of a line: {message!r}")
    return event


class Pjsua2Line:
    """A `Line`; `on_hang_up` does what `hang_up` promises, where the call is just then."""

    def __init__(self, number: int, on_hang_up: Callable[["Pjsua2Line"], None]) -> None:
        self.number = number
        self.released = False
        self.sent = False
        """The INVITE has left the worker."""
        self.on_hang_up = on_hang_up
        self._hanging_up = False
        self._events: asyncio.Queue[LineEvent] = asyncio.Queue()
        self._heard_ms = 0

    async def events(self) -> AsyncIterator[LineEvent]:
        while True:
            event = await self._events.get()
            yield event
            if isinstance(event, LineReleased):
                return

    async def hang_up(self) -> None:
        if not (self.released or self._hanging_up):
            self._hanging_up = True
            self.on_hang_up(self)

    def tell(self, event: LineEvent) -> None:
        if self.released:
            return
        if isinstance(event, LineHeard | LinePlaybackFinished):
            self._heard_ms = event.heard_ms
        self.released = isinstance(event, LineReleased)
        self._events.put_nowait(event)

    def lose(self, why: str) -> None:
        """Release the line of a worker that has ended. Without an INVITE there was no call."""
        self.release(ReleaseCause.FAULT if self.sent else ReleaseCause.NOT_SENT, why)

    def release(self, cause: ReleaseCause, phrase: str) -> None:
        """Release a line that no worker will release."""
        self.tell(LineReleased(time.time_ns() // 1_000_000, cause, None, phrase, self._heard_ms))
