"""Injected faults: crash points of processes, and slow or failing operations."""

import asyncio
import inspect
import random
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Faults:
    """Faults of the operations of every process.

    The share `slow` takes up to `latency_s`; the share `failing` fails, half of it after the operation was
    carried out.
    """

    latency_s: float = 0.0
    slow: float = 0.0
    failing: float = 0.0


@dataclass(frozen=True)
class CrashPoint:
    """A crash before or after operation number `step` (from 1); after means before its result arrives."""

    step: int
    after: bool


class ProcessLife:
    """The life of one process: each of its outside operations passes through here."""

    def __init__(
        self,
        faults: Faults,
        chance: random.Random,
        crash_point: CrashPoint | None,
        on_crash: Callable[[], None],
    ) -> None:
        self._faults = faults
        self._chance = chance
        self._crash_point = crash_point
        self._on_death = on_crash
        self._steps = 0
        self.dead = False
        self.cut_off = False
        """The process does not reach the broker; its calls go on."""

    def spare(self) -> None:
        """Inject no more faults."""
        self._crash_point = None
        self._faults = Faults()
        self.cut_off = False

    def die(self) -> None:
        if not self.dead:
            self.dead = True
            self._on_death()

    def check(self) -> None:
        """End the current task if the process is dead."""
        if self.dead:
            raise asyncio.CancelledError

    async def begin(self, fault: type[Exception] | None) -> None:
        self.check()
        self._steps += 1
        if self._crash_point == CrashPoint(self._steps, after=False):
            self.die()
            self.check()
        await asyncio.sleep(0)
        await self._take_time()
        self._maybe_fail(fault)

    async def finish(self, fault: type[Exception] | None) -> None:
        if self._crash_point == CrashPoint(self._steps, after=True):
            self.die()
        self.check()
        await self._take_time()
        self._maybe_fail(fault)

    async def _take_time(self) -> None:
        if self._faults.slow and self._chance.random() < self._faults.slow:
            await asyncio.sleep(self._chance.uniform(0.0, self._faults.latency_s))
        self.check()

    def _maybe_fail(self, fault: type[Exception] | None) -> None:
        # Called once before and once after every operation.
        if fault and self._faults.failing and self._chance.random() < self._faults.failing / 2:
            raise fault("injected fault")


class FaultyPort:
    """A port with injected latency and faults, unreachable once its process is dead.

    `fault` is the exception of a failing operation, None for a port that does not fail.
    """

    def __init__(
        self,
        life: ProcessLife,
        port: Any,
        fault: type[Exception] | None,
        *,
        wraps: Callable[[Any], Any] = lambda answer: answer,
    ) -> None:
        self._life = life
        self._port = port
        self._fault = fault
        self._wraps = wraps

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._port, name)
        if inspect.iscoroutinefunction(member):
            reached = self._asking(member)
        elif inspect.isasyncgenfunction(member):
            reached = self._reading(member)
        elif callable(member):
            reached = self._at_once(member)
        else:
            return member
        setattr(self, name, reached)
        return reached

    def _asking(self, member: Any) -> Any:
        async def ask(*arguments: Any, **named: Any) -> Any:
            if self._life.cut_off:
                return await self._unreachable()
            await self._life.begin(self._fault)
            answer = await member(*arguments, **named)
            await self._life.finish(self._fault)
            return self._wraps(answer)

        return ask

    async def _unreachable(self) -> None:
        self._life.check()
        await asyncio.sleep(0)
        if self._fault is not None:
            raise self._fault("the broker is not reached")

    def _reading(self, member: Any) -> Any:
        async def read(*arguments: Any, **named: Any) -> AsyncGenerator[Any, None]:
            await self._life.begin(self._fault)
            async for item in member(*arguments, **named):
                if self._life.cut_off and self._fault is not None:
                    raise self._fault("the broker is not reached")
                if item is not None:
                    await self._life.begin(self._fault)
                yield item
                self._life.check()

        return read

    def _at_once(self, member: Any) -> Any:
        def call(*arguments: Any, **named: Any) -> Any:
            self._life.check()
            return member(*arguments, **named)

        return call
