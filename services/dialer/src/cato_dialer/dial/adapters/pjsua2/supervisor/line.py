"""One call, as the dial role sees it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from cato_contracts.instants import now_ms
from cato_dialer.dial.adapters.pjsua2.supervisor.farewells import Signalling
from cato_dialer.dial.domain.call.line_events import (
    LineEvent,
    LineHeard,
    LinePlaybackFinished,
    LineReleased,
    ReleaseCause,
)
from cato_dialer.dial.domain.sip_trace.recorder import Party

_UNSENT = frozenset({ReleaseCause.NOT_SENT, ReleaseCause.MISSED})


class Pjsua2Line:
    """A `Line`; `on_hang_up` ends the call wherever it is: in the queue of the trunk, or at a worker.

    `on_silence` is called if the INVITE was sent and the call ended without any response.
    """

    def __init__(
        self, number: int, on_hang_up: Callable[["Pjsua2Line"], None], on_silence: Callable[[], None]
    ) -> None:
        self.number = number
        self.released = False
        self.sent = False
        """The INVITE may have left the worker."""
        self.signalling = Signalling()
        self.sip_call_id: str | None = None
        self.party: Party | None = None
        self.on_hang_up = on_hang_up
        self.on_play: Callable[[Pjsua2Line, int, Path | None], None] | None = None
        """Plays another part; None while no worker has the line."""
        self._on_silence = on_silence
        self._told = False
        self._hanging_up = False
        self._gone = asyncio.Event()
        self._events: asyncio.Queue[LineEvent] = asyncio.Queue()
        self._heard_ms = 0

    async def events(self) -> AsyncIterator[LineEvent]:
        while True:
            event = await self._events.get()
            yield event
            if isinstance(event, LineReleased):
                return

    async def play(self, part: int, audio: Path | None = None) -> None:
        if self.on_play is not None and not (self.released or self._hanging_up):
            self.on_play(self, part, audio)

    async def hang_up(self) -> None:
        if not (self.released or self._hanging_up):
            self._hanging_up = True
            self.on_hang_up(self)

    async def gone(self) -> None:
        await self._gone.wait()

    def note_gone(self) -> None:
        """Note that the far end has no call any more."""
        self._gone.set()

    def deliver(self, event: LineEvent) -> None:
        if self.released:
            return
        if isinstance(event, LineHeard | LinePlaybackFinished):
            self._heard_ms = event.heard_ms
        self.released = isinstance(event, LineReleased)
        if isinstance(event, LineReleased) and event.sip_code is None and self._heard_nothing(event):
            self._on_silence()
        self._told = True
        self._events.put_nowait(event)

    def _heard_nothing(self, end: LineReleased) -> bool:
        return self.sent and not self._told and end.cause not in _UNSENT

    def lose(self, why: str) -> None:
        """Release the line of a worker that has ended. Without an INVITE there was no call."""
        self.release(ReleaseCause.FAULT if self.sent else ReleaseCause.NOT_SENT, why)

    def release(self, cause: ReleaseCause, phrase: str) -> None:
        """Release a line that no worker will release."""
        self.deliver(LineReleased(now_ms(), cause, None, phrase, self._heard_ms))
        if not self.sent:
            self.note_gone()
