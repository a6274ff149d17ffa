"""The board: all active runs, asked for once for all clients that follow them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog

from cato_contracts.api.status import GetTaskExec, ListTaskExecs, TaskExec
from cato_contracts.errors import CatoError
from cato_contracts.requests import Actor
from cato_gateway.ports import Asker

log = structlog.get_logger()

_ACTOR = Actor(user_id="gateway", admin=True)
_INTERVAL_S = 0.25
_TIMEOUT_S = 10.0
_PAGE = 1000
CLOCKS = timedelta(seconds=5)
"""How much the clocks of two machines may differ: the end of a run has the time of a dialer."""
_KEPT = timedelta(minutes=5)
"""How long an ended run stays on the board, for clients that read slowly."""


class RunBoard:
    """The runs of all users, as of `at`. `news` is set, and replaced, when there is something to look at.

    The first follower starts the queries, the last one ends them. `pause` and `now` are for tests.
    """

    def __init__(
        self,
        asker: Asker,
        *,
        interval_s: float = _INTERVAL_S,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._asker = asker
        self._interval_s = interval_s
        self._pause = pause
        self._now = now
        self._runs: dict[UUID, TaskExec] = {}
        self._ends: dict[UUID, datetime] = {}
        self._followers = 0
        self._loop: asyncio.Task[None] | None = None
        self.at: datetime | None = None
        self.news = asyncio.Event()
        self.closed = False
        self.failed = False

    @contextmanager
    def following(self) -> Iterator[None]:
        """Keep the board up to date meanwhile."""
        self._followers += 1
        if self._loop is None:
            self._loop = asyncio.create_task(self._follow(), name="run board")
        try:
            yield
        finally:
            self._followers -= 1
            if self._followers == 0 and self._loop is not None:
                self._loop.cancel()
                self._loop, self._runs, self._ends, self.at, self.failed = None, {}, {}, None, False

    def runs(self, actor: Actor) -> list[TaskExec]:
        """Return the runs that the actor may see: the active ones, and those that ended a short while ago."""
        return [run for run in self._runs.values() if actor.may_see(run.user_id)]

    async def ended_since(self, actor: Actor, since: datetime) -> AsyncIterator[TaskExec]:
        """Yield the actor's runs that have ended since; errors as `Asker.ask`."""
        query = ListTaskExecs(actor=actor, active=False, ended_since=since, limit=_PAGE)
        async for run in self._all(query):
            yield run

    async def rest(self) -> None:
        """Wait for the minimum time between two batches of events to one client."""
        await self._pause(self._interval_s)

    def wake(self) -> None:
        """Let every follower look again, for example because tokens have changed."""
        self.news.set()
        self.news = asyncio.Event()

    def close(self) -> None:
        """End all streams, because this process stops."""
        self.closed = True
        self.wake()

    async def _follow(self) -> None:
        unavailable = False
        try:
            # The loop checks whether it is still wanted: the broker's client may lose a cancellation.
            while self._loop is asyncio.current_task():
                try:
                    found, at = await self._look()
                except CatoError as error:
                    if not unavailable:
                        log.warning("runs not available for streams", error=repr(error))
                    unavailable = True
                else:
                    unavailable = False
                    if self._loop is asyncio.current_task():
                        self._show(found, at)
                await self.rest()
        except Exception:
            log.exception("run board failed")
            self.failed = True
            self.wake()

    def _show(self, found: dict[UUID, TaskExec], at: datetime) -> None:
        changed = self.at is None or found != self._runs
        # By this machine's clock: that of a dialer may be another.
        self._ends = {run.id: self._ends.get(run.id, at) for run in found.values() if run.ended_at}
        self._runs, self.at = found, at
        if changed:
            self.wake()

    async def _look(self) -> tuple[dict[UUID, TaskExec], datetime]:
        """Return the runs as of now."""
        now = self._now()
        since = (self.at or now) - CLOCKS
        listed = ListTaskExecs(actor=_ACTOR, ended_since=since, limit=_PAGE)
        found = {run.id: run async for run in self._all(listed)}
        for run in list(self._runs.values()):
            if run.id in found:
                continue
            if run.ended_at is None:
                # It has ended, and was not listed: the clocks differ by too much.
                query = GetTaskExec(actor=_ACTOR, id=run.id)
                found[run.id] = await self._asker.ask(query, timeout=_TIMEOUT_S)
            elif now - self._ends[run.id] < _KEPT:
                found[run.id] = run
        return found, now

    async def _all(self, query: ListTaskExecs) -> AsyncIterator[TaskExec]:
        while True:
            page = await self._asker.ask(query, timeout=_TIMEOUT_S)
            for run in page.items:
                yield run
            if page.next_cursor is None:
                return
            query = query.model_copy(update={"cursor": page.next_cursor})
