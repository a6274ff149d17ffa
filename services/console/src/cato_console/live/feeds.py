"""What browsers follow: one feed for each token and subject, however many browsers watch it."""

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar, cast

import structlog

from cato_client import CatoClientError, ForbiddenError, NotFoundError, UnauthorizedError

log = structlog.get_logger()

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

_AGAIN_S = 1.0


class Source(Protocol[T_co]):
    """Follows something of the API."""

    def updates(self) -> AsyncIterator[T_co]:
        """Yield each new state; ends when there is nothing more to come."""
        ...

    async def close(self) -> None:
        """Release the connections."""
        ...


@dataclass(slots=True)
class Feed(Generic[T]):
    """The latest state of a subject. `news` is set, and replaced, at every change."""

    source: Source[T]
    latest: T | None = None
    version: int = 0
    reachable: bool = True
    refused: CatoClientError | None = None
    """The API does not show it, or not any more."""
    over: bool = False
    watchers: int = 0
    news: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    def notify(self) -> None:
        self.version += 1
        self.news.set()
        self.news = asyncio.Event()

    async def run(self) -> None:
        """Follow the source until it ends; when it fails, say so and begin again."""
        try:
            while True:
                try:
                    async for state in self.source.updates():
                        self.latest, self.reachable = state, True
                        self.notify()
                    self.over = True
                except (UnauthorizedError, ForbiddenError, NotFoundError) as error:
                    self.refused = error
                except CatoClientError as error:
                    if self.reachable:
                        log.warning("API not available", error=repr(error))
                        self.reachable = False
                        self.notify()
                    await asyncio.sleep(_AGAIN_S)
                    continue
                self.notify()
                return
        finally:
            await self.source.close()


class Feeds:
    """The feeds of this process. The first watcher starts a feed, the last one ends it."""

    def __init__(self) -> None:
        self._feeds: dict[Hashable, Feed[object]] = {}
        self.closed = False

    @property
    def subjects(self) -> int:
        return len(self._feeds)

    @property
    def watchers(self) -> int:
        return sum(feed.watchers for feed in self._feeds.values())

    @asynccontextmanager
    async def watching(self, key: Hashable, source: Source[T]) -> AsyncIterator[Feed[T]]:
        """Join the feed of `key`; `source` is used if it has not begun yet."""
        feed = cast("Feed[T] | None", self._feeds.get(key))
        if feed is None:
            feed = Feed(source)
            self._feeds[key] = cast("Feed[object]", feed)
            feed.task = asyncio.create_task(feed.run(), name=f"follow {key}")
        else:
            await source.close()
        feed.watchers += 1
        try:
            yield feed
        finally:
            feed.watchers -= 1
            if feed.watchers == 0 and feed.task is not None:
                del self._feeds[key]
                feed.task.cancel()

    def close(self) -> None:
        """End all streams, because this process stops: browsers connect again, to another one."""
        self.closed = True
        for feed in self._feeds.values():
            feed.notify()
