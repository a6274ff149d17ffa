"""How old the numbers on the pages are while events are published."""

import asyncio
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from nats.aio.client import Client

from bench.console.browser import Browser
from bench.reporting.big_run import BigRun, Message

_TICK_S = 0.02
_BEGIN_S = 60.0
_SETTLE_S = 3.0
_REACHED = re.compile(r'dot good"></span><b>([\d,]+)</b>')


class Publisher:
    """Publishes a run at a steady rate, and notes when each person was reached."""

    def __init__(self, client: Client, run: BigRun, rate: int) -> None:
        self.reached_at: list[float] = []
        self.late_s = 0.0
        self._client = client
        self._rate = rate
        self._messages = run.beginning()
        self._over = False

    async def begin(self) -> None:
        """Publish the start of the run."""
        await self._send(next(self._messages))
        await self._client.flush(timeout=10)

    async def go(self) -> None:
        """Publish until `stop` is called."""
        began, sent = time.perf_counter(), 0
        while not self._over:
            due = int((time.perf_counter() - began) * self._rate)
            self.late_s = max(self.late_s, (due - sent) / self._rate - _TICK_S)
            for message in _next(self._messages, due - sent):
                await self._send(message)
                sent += 1
            await self._client.flush(timeout=10)
            await asyncio.sleep(_TICK_S)

    def stop(self) -> None:
        self._over = True

    async def _send(self, message: Message) -> None:
        await self._client.publish(message.subject, message.data, headers=message.headers)
        if message.reaches:
            self.reached_at.append(time.perf_counter())


def _next(messages: Iterator[Message], count: int) -> Iterator[Message]:
    for _ in range(count):
        yield next(messages)


@dataclass
class Screen:
    """What one browser showed: how many people were reached, and since when."""

    shown: list[tuple[float, int]] = field(default_factory=list)

    def ages(self, reached_at: Sequence[float], begin: float, end: float) -> list[float]:
        """Return for each person reached between two times how long it took until the page counted them.

        A person who is not counted yet has waited until now.
        """
        ages = []
        shown = iter(self.shown)
        at, count = next(shown, (time.perf_counter(), len(reached_at)))
        for number, then in enumerate(reached_at, start=1):
            while count < number:
                at, count = next(shown, (time.perf_counter(), len(reached_at)))
            if begin <= then < end:
                ages.append(max(0.0, at - then))
        return ages


async def watch(
    browsers: Sequence[Browser], path: str, part: str, seconds: float
) -> tuple[list[Screen], float, float]:
    """Keep the page open in all browsers; return what they showed, and the time that counts.

    It counts when all of them show something.
    """
    screens = [Screen() for _ in browsers]

    async def look(browser: Browser, screen: Screen) -> None:
        async for parts in browser.parts(path):
            text = parts.get(part) or "".join(parts.values())
            if (found := _REACHED.search(text)) is not None:
                screen.shown.append((time.perf_counter(), int(found[1].replace(",", ""))))

    async with AsyncExitStack() as open_pages:
        for browser, screen in zip(browsers, screens, strict=True):
            looking = asyncio.create_task(look(browser, screen))
            open_pages.callback(looking.cancel)
        async with asyncio.timeout(_BEGIN_S):
            while not all(screen.shown for screen in screens):
                await asyncio.sleep(_TICK_S)
        begin = time.perf_counter()
        await asyncio.sleep(seconds)
        end = time.perf_counter()
        # What changed last is shown within this time, or counts as not shown.
        await asyncio.sleep(_SETTLE_S)
    return screens, begin, end
