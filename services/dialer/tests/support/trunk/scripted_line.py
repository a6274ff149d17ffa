"""Lines of a trunk that follow scripts, in the time of the event loop."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cato_dialer.dial.domain.call.line_events import (
    DigitSource,
    LineAnswered,
    LineDigit,
    LineEvent,
    LineHeard,
    LinePlaybackFinished,
    LinePlaybackStarted,
    LineReleased,
    LineRinging,
    LineTrying,
    ReleaseCause,
)
from cato_dialer.dial.ports.trunk import CallOrder

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
"""When the loop's clock was at 0."""


@dataclass(frozen=True)
class Script:
    """The behaviour of the far end, in seconds from the call's start."""

    final: tuple[int, str] | None = None
    retry_after: int | None = None
    rings_at: float | None = 1.0
    answers_at: float | None = None
    hangs_up_at: float | None = None
    digits: tuple[tuple[float, str], ...] = ()
    fault_at: float | None = None
    unreachable: bool = False
    missed: bool = False
    not_sent: bool = False
    keeps_call: bool = False
    """The far end keeps the call after the line is released, until `far_end_gone` is set."""


def _line_event(what: str, at: int, detail: Any) -> LineEvent:
    events: dict[str, Callable[[], LineEvent]] = {
        "trying": lambda: LineTrying(at),
        "ringing": lambda: LineRinging(at, 180, "Ringing"),
        "answered": lambda: LineAnswered(at),
        "started": lambda: LinePlaybackStarted(at),
        "heard": lambda: LineHeard(at, detail),
        "finished": lambda: LinePlaybackFinished(at, detail),
        "digit": lambda: LineDigit(at, detail, DigitSource.RTP_EVENT),
    }
    return events[what]()


def begin_of(order: CallOrder) -> float:
    """Return when the request is sent, on the loop's clock."""
    now = asyncio.get_running_loop().time()
    return now if order.not_before is None else max(now, (order.not_before - START).total_seconds())


class ScriptedLine:
    def __init__(self, order: CallOrder, script: Script, prompt_ms: int, gone: Callable[[], None]) -> None:
        self._order = order
        self._script = script
        self._prompt_ms = prompt_ms
        self._gone = gone
        self._hung_up = asyncio.Event()
        self._failed = False
        self.far_end_gone = asyncio.Event()
        self.played: list[tuple[int, Path | None]] = []
        if not script.keeps_call:
            self.far_end_gone.set()
        self._loop = asyncio.get_running_loop()
        self._began = begin_of(order)

    def _happenings(self) -> list[tuple[float, str, Any]]:
        script = self._script
        out: list[tuple[float, str, Any]] = [(0.0, "trying", None)]
        if script.missed:
            return [(0.0, "release", (ReleaseCause.MISSED, None, ""))]
        if script.not_sent:
            return [(0.0, "release", (ReleaseCause.NOT_SENT, None, "no free SIP worker"))]
        if script.unreachable:
            return [(32.0, "release", (ReleaseCause.NO_RESPONSE, None, ""))]
        if script.fault_at is not None:
            out.append((script.fault_at, "release", (ReleaseCause.FAULT, None, "worker died")))
        if script.rings_at is not None:
            out.append((script.rings_at, "ringing", None))
        if script.final is not None:
            code, phrase = script.final
            out.append(((script.rings_at or 0) + 0.5, "release", (ReleaseCause.REJECTED, code, phrase)))
        if script.answers_at is not None:
            at = script.answers_at
            out += [(at, "answered", None), (at + 0.02, "started", None)]
            threshold = self._order.heard_threshold_ms
            if threshold is not None:
                out.append((at + 0.02 + threshold / 1000, "heard", threshold))
            out.append((at + 0.02 + self._prompt_ms / 1000, "finished", self._prompt_ms))
            out += [(at + moment, "digit", digit) for moment, digit in script.digits]
            if script.hangs_up_at is not None:
                out.append((at + script.hangs_up_at, "release", (ReleaseCause.REMOTE_HANGUP, 200, "")))
        return sorted(out, key=lambda item: item[0])

    def _code(self, answered_at: float | None) -> int | None:
        if self._failed or self._script.unreachable:
            return None
        return 200 if answered_at else 487

    async def events(self) -> AsyncIterator[LineEvent]:
        answered_at: float | None = None
        for moment, what, detail in self._happenings():
            if not await self._reached(moment):
                break
            at = self._at()
            if what == "answered":
                answered_at = self._loop.time()
            if what == "release":
                cause, code, phrase = detail
                self._gone()
                yield LineReleased(
                    at,
                    cause,
                    code,
                    phrase,
                    self._heard(answered_at),
                    retry_after_s=self._script.retry_after,
                )
                return
            yield _line_event(what, at, detail)
        await self._hung_up.wait()
        self._gone()
        yield LineReleased(
            self._at(),
            ReleaseCause.FAULT if self._failed else ReleaseCause.LOCAL_HANGUP,
            self._code(answered_at),
            "",
            self._heard(answered_at),
        )

    @property
    def sip_call_id(self) -> str | None:
        return f"{self._order.call_id}@scripted"

    async def play(self, part: int, audio: Path | None = None) -> None:
        """Note what was ordered: its end is an event of the script."""
        self.played.append((part, audio))

    async def hang_up(self) -> None:
        self._hung_up.set()

    async def gone(self) -> None:
        await self.far_end_gone.wait()

    def fail(self) -> None:
        """Lose the line, as when its SIP worker ends."""
        self._failed = True
        self._hung_up.set()

    async def _reached(self, moment: float) -> bool:
        delay = self._began + moment - self._loop.time()
        if delay <= 0:
            return not self._hung_up.is_set()
        try:
            async with asyncio.timeout(delay):
                await self._hung_up.wait()
        except TimeoutError:
            return True
        return False

    def _heard(self, answered_at: float | None) -> int:
        if answered_at is None:
            return 0
        return min(self._prompt_ms, max(0, int((self._loop.time() - answered_at - 0.02) * 1000)))

    def _at(self) -> int:
        return int((START.timestamp() + self._loop.time()) * 1000)
