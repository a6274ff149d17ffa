"""Runs as server-sent events (WHATWG HTML, 9.2): one run, or all that a user may see."""

import asyncio
import hashlib
import json
from collections.abc import AsyncGenerator, Callable, Container, Iterator, Sequence
from datetime import datetime
from uuid import UUID

from cato_contracts.api.status import TaskExec
from cato_contracts.instants import unix_ms
from cato_contracts.requests import Actor
from cato_gateway.errors import BrokenOffError
from cato_gateway.run_board import RunBoard
from cato_gateway.run_watches import RunWatches, is_news

MEDIA_TYPE = "text/event-stream"
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # the latter is nginx's
END = "end"
"""The id of the last event: a client that sends it has seen all events."""

_RETRY_MS = 1000
_KEEP_ALIVE = b": still here\n\n"


def is_over(run: TaskExec) -> bool:
    return not run.report.active_phase


async def run_events(watches: RunWatches, run: TaskExec) -> AsyncGenerator[bytes, None]:
    """Yield the events of `run` from now on, each with the newest report when the client reads it.

    Raises:
        BrokenOffError: if the watch failed.

    """
    yield f"retry: {_RETRY_MS}\n\n".encode()
    with watches.watching(run) as watch:
        shown: TaskExec | None = None
        while not watches.closed:
            news, latest = watch.news, watch.run
            if shown is None or is_news(shown, latest):
                shown = latest
                yield _event("report", latest)
                if is_over(latest):
                    yield _event(END, latest)
                    return
                await watches.rest()
            if watch.failed:
                raise BrokenOffError("the run cannot be followed any more")
            try:
                async with asyncio.timeout(watches.keep_alive_s):
                    await news.wait()
            except TimeoutError:
                yield _KEEP_ALIVE


def _event(name: str, run: TaskExec) -> bytes:
    data = run.report.model_dump_json(by_alias=True)
    identity = END if name == END else hashlib.sha256(data.encode()).hexdigest()[:16]
    return f"id: {identity}\nevent: {name}\ndata: {data}\n\n".encode()


class BoardReader:
    """What one client has had of the board; `since` is when a returning client left, None for a new one."""

    def __init__(self, board: RunBoard, actor: Actor, since: datetime | None) -> None:
        self._board = board
        self._actor = actor
        self._since = since
        self._shown: dict[UUID, TaskExec] = {}
        self.synced: datetime | None = None

    def batch(self, at: datetime, missed: Sequence[TaskExec]) -> Iterator[bytes]:
        """Yield an event for each run that is new or has changed, as of `at`; the last one has the id.

        `missed` are the runs that have ended since a returning client left.

        Raises:
            BrokenOffError: if the client has read nothing for so long that it has missed the end of a run.

        """
        current = {run.id: run for run in self._board.runs(self._actor)}
        if any(run.id not in current and not is_over(run) for run in self._shown.values()):
            raise BrokenOffError("the client was too slow; it gets what it has missed when it reconnects")
        if self.synced:
            news = [run for run in current.values() if self._is_news(run)]
        else:
            # The board is newer than `missed`: it has what ended in between.
            missed_ids = {run.id for run in missed}
            news = [*missed, *(run for run in current.values() if self._is_first_news(run, missed_ids))]
        self._shown = current
        last = len(news) - 1
        for place, run in enumerate(news):
            identity = _identity(at) if self.synced and place == last else ""
            yield f"{identity}event: run\ndata: {run.model_dump_json(by_alias=True)}\n\n".encode()
        if not self.synced:
            data = json.dumps({"at": at.isoformat(timespec="milliseconds").replace("+00:00", "Z")})
            yield f"{_identity(at)}event: synced\ndata: {data}\n\n".encode()
        self.synced = at

    def _is_first_news(self, run: TaskExec, missed: Container[UUID]) -> bool:
        """Return whether a client gets the run at its beginning; an ended one only if it may have seen it."""
        if run.id in missed:
            return False
        return run.ended_at is None or (self._since is not None and run.ended_at >= self._since)

    def _is_news(self, run: TaskExec) -> bool:
        shown = self._shown.get(run.id)
        return shown is None or shown.ended_at != run.ended_at or is_news(shown, run)


async def board_events(
    board: RunBoard,
    actor: Actor,
    missed: Sequence[TaskExec],
    *,
    since: datetime | None,
    permitted: Callable[[], bool],
    keep_alive_s: float,
    max_s: float | None,
) -> AsyncGenerator[bytes, None]:
    """Yield the events of all runs that the actor may see, until `permitted` says no or the time is up.

    Raises:
        BrokenOffError: if the board failed, or the client is too slow.

    """
    clock = asyncio.get_running_loop().time
    over = None if max_s is None else clock() + max_s
    yield f"retry: {_RETRY_MS}\n\n".encode()
    reader = BoardReader(board, actor, since)
    with board.following():
        while not board.closed:
            news = board.news
            if not permitted():
                yield _last("TOKEN")
                return
            if board.failed:
                raise BrokenOffError("the runs cannot be followed any more")
            if board.at is not None:
                batch = list(reader.batch(board.at, missed))
                for event in batch:
                    yield event
                if over is not None and clock() >= over:
                    yield _last("TIME")
                    return
                if batch:
                    await board.rest()
            patience = keep_alive_s if over is None else max(0.0, min(keep_alive_s, over - clock()))
            try:
                # Until the first look at the runs there is always news to wait for.
                async with asyncio.timeout(patience if reader.synced else keep_alive_s):
                    await news.wait()
            except TimeoutError:
                # A block without data is no event, but a client notes its id.
                yield (_identity(reader.synced) if reader.synced else "").encode() + _KEEP_ALIVE


def _identity(at: datetime) -> str:
    return f"id: {unix_ms(at)}\n"


def _last(reason: str) -> bytes:
    return f'event: {END}\ndata: {{"reason":"{reason}"}}\n\n'.encode()
