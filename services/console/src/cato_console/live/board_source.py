"""The board: all executions that are active, those that ended last, and the stations."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

from cato_client import AsyncClient, operations
from cato_client.models import Station, TaskExec

_STATIONS_S = 2.0
RECENT = 8
_RATE_S = 10.0


@dataclass(frozen=True, slots=True)
class BoardState:
    """What the board shows."""

    runs: tuple[TaskExec, ...] = ()
    recent: tuple[TaskExec, ...] = ()
    stations: tuple[Station, ...] = ()
    calls_per_s: float | None = None


class CallRate:
    """Calls a second, over the last seconds."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int]] = deque()

    def add(self, at: float, calls: int) -> float | None:
        """Take the number of calls so far; return the rate, None until it can be told."""
        if self._samples and calls < self._samples[-1][1]:  # an execution has ended
            self._samples.clear()
        self._samples.append((at, calls))
        while at - self._samples[0][0] > _RATE_S:
            self._samples.popleft()
        begin, first = self._samples[0]
        return (calls - first) / (at - begin) if at > begin else None


class Board:
    """The board as the events of the API make it."""

    def __init__(self) -> None:
        self._runs: dict[UUID, TaskExec] = {}
        self._ended: dict[UUID, TaskExec] = {}
        self._stations: tuple[Station, ...] = ()
        self._rate = CallRate()
        self._calls_per_s: float | None = None

    def ended(self, runs: list[TaskExec]) -> None:
        """Take the executions that ended last."""
        self._ended |= {run.id: run for run in runs}

    def changed(self, run: TaskExec) -> None:
        """Take an execution that has begun, changed or ended."""
        if run.report.active_phase:
            self._runs[run.id] = run
        else:
            self._runs.pop(run.id, None)
            self._ended[run.id] = run

    def looked(self, at: float, stations: list[Station]) -> None:
        """Take the stations, and tell the rate of calls."""
        self._stations = tuple(stations)
        rate = self._rate.add(at, sum(run.report.calls_total for run in self._runs.values()))
        self._calls_per_s = None if rate is None else round(rate, 1)

    def state(self) -> BoardState:
        active = sorted(self._runs.values(), key=lambda run: run.started_at, reverse=True)
        ended = sorted(self._ended.values(), key=lambda run: run.ended_at or run.started_at, reverse=True)
        self._ended = {run.id: run for run in ended[:RECENT]}
        return BoardState(tuple(active), tuple(ended[:RECENT]), self._stations, self._calls_per_s)


class BoardSource:
    """Follows all executions of a token, and looks at the stations every two seconds."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def updates(self) -> AsyncIterator[BoardState]:
        """Yield the board whenever something has changed; ends when the token is not valid any more."""
        board = Board()
        board.ended((await self._client.do(operations.list_task_execs(active=False, limit=RECENT))).items)
        stream = aiter(self._client.follow_all())
        following = asyncio.ensure_future(anext(stream, StopAsyncIteration))
        synced, shown, look = False, None, 0.0
        try:
            while True:
                now = time.monotonic()
                if now >= look:
                    board.looked(now, (await self._client.do(operations.list_stations())).items)
                    look = now + _STATIONS_S
                await asyncio.wait({following}, timeout=max(0.0, look - time.monotonic()))
                if following.done():
                    item = following.result()
                    if item is StopAsyncIteration:
                        return
                    synced = synced or item is None
                    if isinstance(item, TaskExec):
                        board.changed(item)
                    following = asyncio.ensure_future(anext(stream, StopAsyncIteration))
                state = board.state()
                if synced and state != shown:
                    shown = state
                    yield state
        finally:
            following.cancel()

    async def close(self) -> None:
        await self._client.close()
