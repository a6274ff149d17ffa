"""One call on the trunk, driven by the table of `domain.call.machine`."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import structlog

from cato_contracts.instants import unix_ms
from cato_contracts.messages.calls import FINAL_KINDS, CallEventKind
from cato_dialer.dial.domain.call.line_events import LineEvent, LineReleased, ReleaseCause
from cato_dialer.dial.domain.call.machine import advance, begin
from cato_dialer.dial.domain.call.rules import CallRules
from cato_dialer.dial.domain.call.state import (
    Call,
    CallInput,
    Effect,
    HangUp,
    HangUpOrdered,
    Phase,
    Play,
    Publish,
    StartTimer,
    StopTimer,
    Succeed,
    Timer,
    TimerExpired,
)
from cato_dialer.dial.ports.trunk import Line
from cato_runtime.clock import Clock

log = structlog.get_logger()

_LATE_S = 0.5
_CATCH_UP_S = 0.3
"""The time in which a process that stood still reads what its lines have sent."""

_UNSENT = frozenset({ReleaseCause.MISSED, ReleaseCause.NOT_SENT})


class CallDriver:
    """Feed one call machine with the events of its line and its timers, and carry out its effects.

    `publish` and `succeed` are called in order and must not block. `announcement` is played after an opt-out,
    if the rules say so.
    """

    def __init__(
        self,
        line: Line,
        rules: CallRules,
        clock: Clock,
        *,
        publish: Callable[[Publish], None],
        succeed: Callable[[Succeed], None],
        announcement: Path | None = None,
    ) -> None:
        self._line = line
        self._announcement = announcement
        self._clock = clock
        self._publish = publish
        self._succeed = succeed
        self._inputs: deque[CallInput] = deque()
        self._taking = False
        self._over: asyncio.Future[None] | None = None
        self._timers: dict[Timer, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._call, self._first = begin(rules, unix_ms(clock.now()))
        self.unsent: ReleaseCause | None = None
        """Why no request was sent (`MISSED` or `NOT_SENT`): there has been no call."""
        self.heard_of_station = False
        """The station has sent a response or a request."""
        self.released: LineReleased | None = None
        """The last event of the line."""
        self.end: Publish | None = None
        """The final event, once it is recorded."""
        self.phrase: str | None = None
        """The phrase of the response that rejected the call."""
        self._hang_up_ordered = False

    def hang_up(self) -> None:
        """End the call by order of the operator, or at a shutdown."""
        self._hang_up_ordered = True
        self._take(HangUpOrdered(self._now_ms()))

    async def run(self) -> Call:
        """Return the call as it ended; `unsent` tells whether it began at all."""
        self._over = asyncio.get_running_loop().create_future()
        self._spawn(self._listen())
        try:
            self._carry_out(self._first)
            self._take_all(self._over)
            await self._over
        finally:
            for handle in self._timers.values():
                handle.cancel()
            for task in self._tasks:
                task.cancel()
        return self._call

    def _take(self, happened: CallInput) -> None:
        """Advance the machine at once, or when the input before has been taken, or when the call runs."""
        self._inputs.append(happened)
        if self._over is not None and not self._taking:
            self._take_all(self._over)

    def _take_all(self, over: asyncio.Future[None]) -> None:
        self._taking = True
        try:
            while self._inputs and not over.done():
                self._call, effects = advance(self._call, self._inputs.popleft())
                self._carry_out(effects)
                if self._call.phase is Phase.ENDED:
                    over.set_result(None)
        except Exception as error:  # noqa: BLE001 - raised by `run`
            over.set_exception(error)
        finally:
            self._taking = False

    def _carry_out(self, effects: tuple[Effect, ...]) -> None:
        for effect in effects:
            match effect:
                case Publish():
                    self._note(effect)
                    self._publish(effect)
                case Succeed():
                    self._succeed(effect)
                case StartTimer(timer, at):
                    self._start(timer, at)
                case StopTimer(timer):
                    if handle := self._timers.pop(timer, None):
                        handle.cancel()
                case HangUp():
                    self._spawn(self._line.hang_up())
                case Play(part, announcement):
                    self._spawn(self._line.play(part, self._announcement if announcement else None))

    def _note(self, effect: Publish) -> None:
        if effect.kind in FINAL_KINDS:
            self.end = effect
        elif effect.kind is CallEventKind.REJECTED:
            self.phrase = effect.reason_phrase

    def _start(self, timer: Timer, at: int) -> None:
        self._expire_in(max(0, at - self._now_ms()) / 1000, timer)

    def _expire_in(self, delay_s: float, timer: Timer) -> None:
        loop = asyncio.get_running_loop()
        self._timers[timer] = loop.call_later(delay_s, self._expire, timer, loop.time() + delay_s)

    def _expire(self, timer: Timer, due: float) -> None:
        if asyncio.get_running_loop().time() - due > _LATE_S:
            # This process stood still. What happened on the line meanwhile comes first: the prompt may have
            # been heard to the end, and then the call is a success and not too long.
            self._expire_in(_CATCH_UP_S, timer)
        else:
            self._take(TimerExpired(timer, self._now_ms()))

    def _release(self, cause: ReleaseCause) -> None:
        self._take(LineReleased(self._now_ms(), cause, None, "", 0))

    def _now_ms(self) -> int:
        return unix_ms(self._clock.now())

    async def _listen(self) -> None:
        async for event in self._line.events():
            if isinstance(event, LineReleased):
                self.released = event
            if isinstance(event, LineReleased) and event.cause in _UNSENT:
                self._end_unsent(event.cause)
                return
            self.heard_of_station |= _comes_from_station(event)
            self._take(event)
        # `LineReleased` has ended the call by now, unless the line broke its contract.
        self._release(ReleaseCause.FAULT)

    def _end_unsent(self, cause: ReleaseCause) -> None:
        if self._hang_up_ordered:
            self._release(ReleaseCause.LOCAL_HANGUP)
        else:
            self.unsent = cause
            if self._over is not None and not self._over.done():
                self._over.set_result(None)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._reap)

    def _reap(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("line failed", error=repr(error))
            self._release(ReleaseCause.FAULT)


def _comes_from_station(event: LineEvent) -> bool:
    if isinstance(event, LineReleased):
        return event.cause in {ReleaseCause.REJECTED, ReleaseCause.REMOTE_HANGUP}
    return True
