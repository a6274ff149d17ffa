"""The charts of executions, asked for once for all who look at an execution."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from cato_client import AsyncClient, CatoClientError, operations
from cato_client.models import CallFilter
from cato_console.views.run import RunCharts, run_charts

CHARTS_S = 3.0
_OVER_S = 60.0
"""When an execution is over, only calls that are still up change its charts."""
_SHARE = 20
"""Charts are asked for in at most one part of so many of the time: a slow system is asked less often."""
_MOST = 200


@dataclass(slots=True)
class _Kept:
    reading: "asyncio.Task[RunCharts]"
    over: bool
    began: float
    took: float = 0.0

    def fresh(self, now: float, *, over: bool) -> bool:
        if not self.reading.done():
            return True
        keep = _OVER_S if self.over else max(CHARTS_S, _SHARE * self.took)
        return self.over >= over and now - self.began - self.took < keep


class Charts:
    """The charts of the executions that people look at, a few seconds old.

    They are the same for all who may see an execution. That a person may see it the caller finds out with the
    person's own token.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: OrderedDict[UUID, _Kept] = OrderedDict()

    async def of(self, client: AsyncClient, run_id: UUID, *, over: bool) -> RunCharts:
        """Return the charts; `over`: the execution has ended."""
        kept = self._kept.get(run_id)
        if kept is not None and kept.fresh(self._clock(), over=over):
            try:
                return await asyncio.shield(kept.reading)
            except CatoClientError:
                # It was asked with the token of another person: what that one may not is no reason here.
                pass
        return await asyncio.shield(self._read(client, run_id, over=over))

    async def soon(
        self, client: AsyncClient, run_id: UUID, *, over: bool, patience_s: float
    ) -> RunCharts | None:
        """Return the charts; None if they take longer than that. They are kept for the next question."""
        try:
            async with asyncio.timeout(patience_s):
                return await self.of(client, run_id, over=over)
        except TimeoutError:
            return None

    def _read(self, client: AsyncClient, run_id: UUID, *, over: bool) -> "asyncio.Task[RunCharts]":
        reading = asyncio.create_task(_read_charts(client, run_id), name=f"charts {run_id}")
        kept = self._kept[run_id] = _Kept(reading, over, self._clock())
        self._kept.move_to_end(run_id)
        if len(self._kept) > _MOST:
            self._kept.popitem(last=False)

        def done(task: "asyncio.Task[RunCharts]") -> None:
            kept.took = self._clock() - kept.began
            if (task.cancelled() or task.exception() is not None) and self._kept.get(run_id) is kept:
                del self._kept[run_id]

        reading.add_done_callback(done)
        return reading


async def _read_charts(client: AsyncClient, run_id: UUID) -> RunCharts:
    where = CallFilter(task_exec_id=run_id)
    return run_charts(
        *await asyncio.gather(
            client.do(operations.get_statistics("wave", where)),
            client.do(operations.get_statistics("reason", where)),
            client.do(operations.get_statistics("minute", where)),
        )
    )
