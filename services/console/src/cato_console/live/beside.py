"""Questions that are asked again and again beside a stream, which does not wait for their answers."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
A = TypeVar("A")

_SHARE = 20
"""A question is asked for at most one part of so many of the time: a slow system is asked less often."""


@dataclass(frozen=True, slots=True)
class Answered(Generic[A]):
    """The answer to the question."""

    answer: A


async def beside(
    stream: AsyncIterator[T], ask: Callable[[], Awaitable[A]], every_s: float
) -> AsyncIterator[T | Answered[A]]:
    """Yield the items of the stream, and the answers to a question as they come; ends with the stream.

    The question is asked at once, and again `every_s` after each answer. Its errors are raised.
    """

    async def answered(pause_s: float) -> tuple[A, float]:
        await asyncio.sleep(pause_s)
        began = time.monotonic()
        answer = await ask()
        return answer, max(every_s, _SHARE * (time.monotonic() - began))

    following = asyncio.ensure_future(anext(stream))
    asking = asyncio.ensure_future(answered(0.0))
    try:
        while True:
            await asyncio.wait({following, asking}, return_when=asyncio.FIRST_COMPLETED)
            if asking.done():
                answer, pause_s = asking.result()
                asking = asyncio.ensure_future(answered(pause_s))
                yield Answered(answer)
            if following.done():
                try:
                    item = following.result()
                except StopAsyncIteration:
                    return
                following = asyncio.ensure_future(anext(stream))
                yield item
    finally:
        following.cancel()
        asking.cancel()
