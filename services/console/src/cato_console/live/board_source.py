"""The board: all executions that are active, those that ended last, and the stations."""

import time
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

from cato_client import AsyncClient, operations
from cato_client.models import Station, TaskExec
from cato_console.live.beside import Answered, beside

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
        self._calls = 0
        self._calls_per_s: float | None = None
        self._synced = False

    def synced(self) -> None:
        """Take notice that all active executions are known: calls are counted from now on."""
        self._synced = True

    def ended(self, runs: list[TaskExec]) -> None:
        """Take the executions that ended last."""
        self._ended |= {run.id: run for run in runs}

    def changed(self, run: TaskExec) -> None:
        """Take an execution that has begun, changed or ended."""
        before = self._runs.get(run.id) or self._ended.get(run.id)
        if self._synced and (before is not None or run.report.active_phase):
            self._calls += run.report.calls_total - (0 if before is None else before.report.calls_total)
        if run.report.active_phase:
            self._runs[run.id] = run
        else:
            self._runs.pop(run.id, None)
            self._ended[run.id] = run

    def looked(self, at: float, stations: list[Station] | None) -> None:
        """Take the stations, and tell the rate of calls. None: how the stations are is not known now."""
        if stations is None:
            stations = [each.model_copy(update={"state": "UNKNOWN"}) for each in self._stations]
        self._stations = tuple(stations)
        if self._synced:
            rate = self._rate.add(at, self._calls)
            self._calls_per_s = None if rate is None else round(rate, 1)

    def state(self) -> BoardState | None:
        """Return what the board shows; None until all active executions are known."""
        if not self._synced:
            return None
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
        board.looked(time.monotonic(), await self._stations())
        shown: BoardState | None = None
        async for item in beside(self._client.follow_all(), self._stations, _STATIONS_S):
            if isinstance(item, Answered):
                board.looked(time.monotonic(), item.answer)
            elif item is None:
                board.synced()
            else:
                board.changed(item)
            state = board.state()
            if state is not None and state != shown:
                shown = state
                yield state

    async def _stations(self) -> list[Station]:
        return (await self._client.do(operations.list_stations())).items

    async def close(self) -> None:
        await self._client.close()
