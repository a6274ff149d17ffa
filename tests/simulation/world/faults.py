"""Processes that die at any step of theirs, and surroundings that are slow, or do not answer."""

import asyncio
import inspect
import random
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Weather:
    """How the surroundings of every process are.

    `slow` of the operations take up to `latency_s`; `trouble` of them fail, half of those after they were
    carried out.
    """

    latency_s: float = 0.0
    slow: float = 0.0
    trouble: float = 0.0


@dataclass(frozen=True)
class Death:
    """Before or after the operation of this number (from 1); after is before its answer is there."""

    step: int
    after: bool


class Life:
    """One process from its birth to its death: everything that it does outside goes through here."""

    def __init__(
        self, weather: Weather, chance: random.Random, death: Death | None, on_death: Callable[[], None]
    ) -> None:
        self._weather = weather
        self._chance = chance
        self._death = death
        self._on_death = on_death
        self._steps = 0
        self.dead = False

    def spare(self) -> None:
        """Nothing befalls it from here on."""
        self._death = None
        self._weather = Weather()

    def die(self) -> None:
        if not self.dead:
            self.dead = True
            self._on_death()

    def check(self) -> None:
        """Go no further in a dead process: the task that gets here ends without a trace."""
        if self.dead:
            raise asyncio.CancelledError

    async def begin(self, fault: type[Exception] | None) -> None:
        self.check()
        self._steps += 1
        if self._death == Death(self._steps, after=False):
            self.die()
            self.check()
        await asyncio.sleep(0)
        await self._take_time()
        self._maybe_fail(fault)

    async def finish(self, fault: type[Exception] | None) -> None:
        if self._death == Death(self._steps, after=True):
            self.die()
        self.check()
        await self._take_time()
        self._maybe_fail(fault)

    async def _take_time(self) -> None:
        if self._weather.slow and self._chance.random() < self._weather.slow:
            await asyncio.sleep(self._chance.uniform(0.0, self._weather.latency_s))
        self.check()

    def _maybe_fail(self, fault: type[Exception] | None) -> None:
        # Once before and once after every operation.
        if fault and self._weather.trouble and self._chance.random() < self._weather.trouble / 2:
            raise fault("no answer")


class Outside:
    """A port as a process reaches it: slowly, with failures, and not at all once it is dead.

    `fault` is what a failing operation raises, None for a port that does not fail.
    """

    def __init__(
        self,
        life: Life,
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
            await self._life.begin(self._fault)
            answer = await member(*arguments, **named)
            await self._life.finish(self._fault)
            return self._wraps(answer)

        return ask

    def _reading(self, member: Any) -> Any:
        async def read(*arguments: Any, **named: Any) -> AsyncGenerator[Any, None]:
            await self._life.begin(self._fault)
            async for item in member(*arguments, **named):
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
