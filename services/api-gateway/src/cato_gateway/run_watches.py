"""Watched runs: one query serves all clients that watch a run."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

import structlog

from cato_contracts.api.status import GetTaskExec, TaskExec
from cato_contracts.errors import CatoError
from cato_contracts.requests import Actor
from cato_gateway.ports import Asker

log = structlog.get_logger()

_INTERVAL_S = 0.25
_KEEP_ALIVE_S = 15.0
_TIMEOUT_S = 10.0


@dataclass(slots=True)
class RunWatch:
    """The latest state of a run. `news` is set, and replaced, when it changes or the watch ends."""

    run: TaskExec
    news: asyncio.Event = field(default_factory=asyncio.Event)
    failed: bool = False
    watchers: int = 0
    loop: asyncio.Task[None] | None = None

    def notify(self) -> None:
        self.news.set()
        self.news = asyncio.Event()


class RunWatches:
    """The watches of this process, one for each watched run.

    `interval_s` is the minimum time between two queries, and between two reports to one client;
    `keep_alive_s` the longest silence. `pause` is for tests.
    """

    def __init__(
        self,
        asker: Asker,
        *,
        interval_s: float = _INTERVAL_S,
        keep_alive_s: float = _KEEP_ALIVE_S,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._asker = asker
        self._interval_s = interval_s
        self._pause = pause
        self._watches: dict[UUID, RunWatch] = {}
        self.keep_alive_s = keep_alive_s
        self.closed = False

    @property
    def runs(self) -> set[UUID]:
        """The runs that are being watched."""
        return set(self._watches)

    @contextmanager
    def watching(self, run: TaskExec) -> Iterator[RunWatch]:
        """Join the watch of a run. The first watcher starts it, the last one ends it."""
        watch = self._watches.get(run.id)
        if watch is None:
            watch = self._watches[run.id] = RunWatch(run)
            watch.loop = asyncio.create_task(self._follow(watch))
        watch.watchers += 1
        try:
            yield watch
        finally:
            watch.watchers -= 1
            if watch.watchers == 0 and watch.loop is not None:
                del self._watches[run.id]
                watch.loop.cancel()

    async def rest(self) -> None:
        """Wait for the minimum time between two reports."""
        await self._pause(self._interval_s)

    def close(self) -> None:
        """End all watches, because this process stops."""
        self.closed = True
        for watch in self._watches.values():
            watch.notify()

    async def _follow(self, watch: RunWatch) -> None:
        # Any watcher may leave, and all of them may see the run: so the owner is the actor of the query.
        query = GetTaskExec(actor=Actor(user_id=watch.run.user_id), id=watch.run.id)
        unavailable = False
        try:
            # The loop checks for watchers itself: the broker's client may lose a cancellation.
            while watch.watchers and watch.run.report.active_phase:
                await self.rest()
                try:
                    found = await self._asker.ask(query, timeout=_TIMEOUT_S)
                except CatoError as error:
                    if not unavailable:
                        log.warning("watched run not available", run_id=str(query.id), error=repr(error))
                    unavailable = True
                    continue
                unavailable = False
                if is_news(watch.run, found):
                    watch.run = found
                    watch.notify()
        except Exception:
            log.exception("watch failed", run_id=str(query.id))
            watch.failed = True
            watch.notify()


def is_news(old: TaskExec, new: TaskExec) -> bool:
    """Return whether the report differs by more than its `eta`, which changes with time alone."""
    return old.report.model_copy(update={"eta": None}) != new.report.model_copy(update={"eta": None})
