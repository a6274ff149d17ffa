"""A trunk without a network: each number has a script of line events."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from pathlib import Path

from cato_contracts.alaw_wav import AlawWavError, audio_length
from cato_contracts.instants import unix_ms
from cato_dialer.dial.domain.call.line_events import (
    LineAnswered,
    LineEvent,
    LineHeard,
    LinePlaybackFinished,
    LinePlaybackStarted,
    LineReleased,
    ReleaseCause,
)
from cato_dialer.dial.ports.trunk import CallOrder, Line

_FRAME_MS = 20
_BYTES_PER_MS = 8

Script = tuple[tuple[float, LineEvent], ...]
"""Seconds from the call's start, and the event then; `at` and `heard_ms` of the release are filled in.

`LineAnswered` starts the prompt, which plays in real time, and `hang_up` releases the line: neither is in the
script.
"""

UNKNOWN_NUMBER: Script = ((0.0, LineReleased(0, ReleaseCause.REJECTED, 404, "Not Found", 0)),)


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


class MemoryTrunk:
    """A `Trunk` in the time of the event loop, which may be virtual; `now_ms` gives the value of `at`.

    `orders` has all calls that were placed; the lags are set by the test.
    """

    def __init__(
        self, scripts: Mapping[str, Script], capacity: int, *, now_ms: Callable[[], int] = _wall_ms
    ) -> None:
        self.orders: list[CallOrder] = []
        self.media_lag_ms = 0
        self.loop_lag_ms = 0
        self._scripts = dict(scripts)
        self._capacity = capacity
        self._now_ms = now_ms
        self._lines: set[_MemoryLine] = set()
        self._open = False
        self._line_released = asyncio.Event()

    @property
    def capacity(self) -> int:
        return self._capacity if self._open else 0

    async def open(self) -> None:
        self._open = True

    @property
    def has_free_line(self) -> bool:
        return len(self._lines) < self.capacity

    async def line_free(self) -> None:
        while not self.has_free_line:
            await self._line_released.wait()

    def place(self, order: CallOrder) -> Line:
        self.orders.append(order)
        line = _MemoryLine(order, self._now_ms, self._discard)
        if len(self._lines) >= self.capacity:
            line.release(ReleaseCause.NOT_SENT, "no free line")
            return line
        self._lines.add(line)
        now_ms = self._now_ms()
        if order.not_after is not None and now_ms > unix_ms(order.not_after):
            line.release(ReleaseCause.MISSED, "its time had passed")
            return line
        begin_ms = unix_ms(order.not_before) if order.not_before is not None else now_ms
        try:
            line.follow(self._scripts.get(order.number, UNKNOWN_NUMBER), max(begin_ms - now_ms, 0) / 1_000)
        except AlawWavError as error:
            line.release(ReleaseCause.NOT_SENT, str(error))
        return line

    def fail(self, why: str = "the SIP process ended") -> None:
        """Lose all lines at once."""
        for line in list(self._lines):
            line.release(ReleaseCause.FAULT, why)

    async def close(self) -> None:
        self._open = False
        for line in list(self._lines):
            await line.hang_up()

    def _discard(self, line: "_MemoryLine") -> None:
        self._lines.discard(line)
        self._line_released.set()
        self._line_released = asyncio.Event()


class _MemoryLine:
    def __init__(
        self, order: CallOrder, now_ms: Callable[[], int], gone: Callable[["_MemoryLine"], None]
    ) -> None:
        self._order = order
        self._now_ms = now_ms
        self._gone = gone
        self._loop = asyncio.get_running_loop()
        self._events: asyncio.Queue[LineEvent] = asyncio.Queue()
        self._timers: list[asyncio.TimerHandle] = []
        self._length_ms = 0
        self._answered_at: float | None = None
        self._plays: list[asyncio.TimerHandle] = []
        self._most_heard_ms = 0
        self._counts = True
        self._threshold_ms = order.heard_threshold_ms
        self._released = False
        self._sent_at = math.inf

    def follow(self, script: Script, wait_s: float) -> None:
        """Raises: AlawWavError."""
        self._length_ms = audio_length(self._order.audio) // _BYTES_PER_MS
        self._sent_at = self._loop.time() + wait_s
        for after_s, event in script:
            self._later(wait_s + after_s, event)

    async def events(self) -> AsyncIterator[LineEvent]:
        while True:
            event = await self._events.get()
            yield event
            if isinstance(event, LineReleased):
                return

    @property
    def sip_call_id(self) -> str | None:
        return f"{self._order.call_id}@memory" if self._loop.time() >= self._sent_at else None

    async def play(self, part: int, audio: Path | None = None) -> None:
        if self._answered_at is None or self._released:
            return
        self._most_heard_ms = self._heard_ms
        for timer in self._plays:
            timer.cancel()
        self._play(part, audio)

    async def hang_up(self) -> None:
        self.release(ReleaseCause.LOCAL_HANGUP, "")

    async def gone(self) -> None:
        """The far end is gone with the line."""

    def release(self, cause: ReleaseCause, phrase: str) -> None:
        code = 200 if self._answered_at is not None and cause is not ReleaseCause.FAULT else None
        self._happen(LineReleased(0, cause, code, phrase, 0))

    @property
    def _heard_ms(self) -> int:
        if self._answered_at is None or not self._counts:
            return self._most_heard_ms
        elapsed_ms = (self._loop.time() - self._answered_at) * 1_000
        now = min(int(elapsed_ms) // _FRAME_MS * _FRAME_MS, self._length_ms)
        return max(now, self._most_heard_ms)

    def _later(self, after_s: float, event: LineEvent) -> asyncio.TimerHandle:
        timer = self._loop.call_later(after_s, self._happen, event)
        self._timers.append(timer)
        return timer

    def _happen(self, event: LineEvent) -> None:
        if self._released:
            return
        if isinstance(event, LineReleased):
            self._released = True
            event = replace(event, heard_ms=self._heard_ms)
            for timer in self._timers:
                timer.cancel()
            self._gone(self)
        self._events.put_nowait(replace(event, at=self._now_ms()))
        if isinstance(event, LineHeard):
            self._threshold_ms = None
        if isinstance(event, LineAnswered):
            self._play(0)
            self._happen(LinePlaybackStarted(0))

    def _play(self, part: int, audio: Path | None = None) -> None:
        """Begin a part; only the audio of the order counts as heard."""
        self._answered_at, self._counts = self._loop.time(), audio is None
        length_ms = audio_length(audio) // _BYTES_PER_MS if audio else self._length_ms
        threshold_ms = self._threshold_ms
        if self._counts and threshold_ms is not None and threshold_ms <= self._length_ms:
            self._plays.append(self._later(threshold_ms / 1_000, LineHeard(0, threshold_ms)))
        heard_ms = self._length_ms if self._counts else self._most_heard_ms
        self._plays.append(self._later(length_ms / 1_000, LinePlaybackFinished(0, heard_ms, part)))
