"""Questions that are asked again and again beside a stream, which does not wait for their answers."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Generic, TypeVar

import structlog

from cato_client import ApiError, UnreachableError

log = structlog.get_logger()

T = TypeVar("T")
A = TypeVar("A")

_NOT_NOW = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
_SHARE = 20
"""A question is asked for at most one part of so many of the time: a slow system is asked less often."""


@dataclass(frozen=True, slots=True)
class Answered(Generic[A]):
    """The answer to the question; None: it is not to be had now."""

    answer: A | None


async def beside(
    stream: AsyncIterator[T], ask: Callable[[], Awaitable[A]], every_s: float
) -> AsyncIterator[T | Answered[A]]:
    """Yield the items of the stream, and the answers to a question as they come; ends with the stream.

    The question is asked at once, and again `every_s` after each answer. What the API refuses is raised; that
    it cannot answer the question now is no reason to end the stream.
    """

    async def answered(pause_s: float) -> tuple[A | None, float]:
        await asyncio.sleep(pause_s)
        began = time.monotonic()
        answer: A | None = None
        try:
            answer = await ask()
        except UnreachableError as error:
            log.warning("question beside a stream not answered", error=repr(error))
        except ApiError as error:
            if error.status not in _NOT_NOW:
                raise
            log.warning("question beside a stream not answered", error=repr(error))
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
