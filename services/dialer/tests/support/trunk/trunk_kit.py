"""A prompt, a station and a listener for the tests of the trunk."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from cato_contracts.alaw_wav import wav_file
from cato_dialer.dial.domain.call.line_events import LineEvent, LineReleased
from cato_dialer.dial.domain.station import Station
from cato_dialer.dial.ports.trunk import CallOrder, Line, Trunk
from cato_exchange.exchange import Exchange

FRAME = 160


def every_code(frames: int) -> bytes:
    """A-law in which each of the 256 codes comes up and no two frames in reach are the same."""
    return bytes((index + index // 256 * 7) & 255 for index in range(FRAME * frames))


def write_wav(path: Path, audio: bytes) -> Path:
    path.write_bytes(wav_file(audio))
    return path


@dataclass
class Heard:
    """All that a line has said."""

    events: list[LineEvent]

    @property
    def kinds(self) -> list[str]:
        return [type(event).__name__.removeprefix("Line") for event in self.events]

    @property
    def end(self) -> LineReleased:
        last = self.events[-1]
        assert isinstance(last, LineReleased)
        return last

    def all(self, kind: type[LineEvent]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


async def follow(
    line: Line, on_event: Callable[[LineEvent], Awaitable[None]] | None = None, timeout: float = 20.0
) -> Heard:
    heard = Heard([])
    try:
        async with asyncio.timeout(timeout):
            async for event in line.events():
                heard.events.append(event)
                if on_event is not None:
                    await on_event(event)
    except TimeoutError as error:
        error.add_note(f"the line has no end after {timeout:g} s; it said {heard.events}")
        raise
    return heard


async def follow_until(line: Line, kind: type[LineEvent], timeout: float = 20.0) -> Heard:
    """Listen to the end, and hang up at the first event of this kind."""

    async def hang_up_at(event: LineEvent) -> None:
        if isinstance(event, kind):
            await line.hang_up()

    return await follow(line, hang_up_at, timeout)


@dataclass
class Caller:
    """Places calls of one prompt through one trunk."""

    trunk: Trunk
    station: Station
    prompt: Path
    heard_threshold_ms: int | None = None
    exchange: Exchange | None = None
    """The exchange behind the station, if there is one."""

    def call(self, number: str, **changes: Any) -> Line:
        fields: dict[str, Any] = {
            "call_id": uuid4(),
            "station": self.station,
            "number": number,
            "audio": self.prompt,
            "heard_threshold_ms": self.heard_threshold_ms,
            **changes,
        }
        return self.trunk.place(CallOrder(**fields))
