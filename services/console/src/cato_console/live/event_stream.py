"""Parts of a page as server-sent events (WHATWG HTML, 9.2)."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from starlette.responses import StreamingResponse

from cato_console.live.feeds import Feed, Feeds, Source
from cato_console.live.parts import Part, Shown

T = TypeVar("T")

_KEEP_ALIVE_S = 10.0
_REST_S = 0.2
"""At most five updates a second for each browser: more than people can read."""
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


@dataclass(frozen=True, slots=True)
class Stream(Generic[T]):
    """What a page follows, and how its parts are made.

    `permitted` becomes false when the session is signed out: then the stream ends. `reload`: whether the page
    is loaded again at the end, because more than its parts has changed.
    """

    key: tuple[str, ...]
    source: Source[T]
    parts: Callable[[T], Sequence[Part]]
    permitted: Callable[[], bool]
    reload: bool = True


def event_stream(feeds: Feeds, stream: Stream[T]) -> StreamingResponse:
    """Return the answer that keeps the parts of a page up to date."""
    return StreamingResponse(_events(feeds, stream), media_type="text/event-stream", headers=_HEADERS)


async def _events(feeds: Feeds, stream: Stream[T]) -> AsyncIterator[str]:
    yield "retry: 1000\n\n"
    shown = Shown()
    reachable = True
    async with feeds.watching(stream.key, stream.source) as feed:
        while not feeds.closed and stream.permitted():
            news = feed.news
            if feed.reachable is not reachable:
                reachable = feed.reachable
                yield _event("reachable", reachable)
            if feed.latest is not None:
                changed = shown.changes(stream.parts(feed.latest))
                if changed:
                    yield _event("parts", changed)
            if feed.over or feed.refused is not None:
                yield _event("over", {"reload": stream.reload or feed.refused is not None})
                return
            await asyncio.sleep(_REST_S)
            if not await _heard(feed, news):
                yield _event("alive", True)


async def _heard(feed: Feed[T], news: asyncio.Event) -> bool:
    try:
        async with asyncio.timeout(_KEEP_ALIVE_S):
            await news.wait()
    except TimeoutError:
        return False
    return feed.news is not news


def _event(name: str, data: object) -> str:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
