"""One execution: its numbers as they change, and the charts a few seconds later."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

from cato_client import AsyncClient, operations
from cato_client.models import CallFilter, Report
from cato_console.views.run import RunCharts, run_charts

_CHARTS_S = 3.0


@dataclass(frozen=True, slots=True)
class RunState:
    """What the page of an execution shows."""

    report: Report
    charts: RunCharts


async def read_charts(client: AsyncClient, run_id: UUID) -> RunCharts:
    where = CallFilter(task_exec_id=run_id)
    return run_charts(
        *await asyncio.gather(
            client.do(operations.get_statistics("wave", where)),
            client.do(operations.get_statistics("reason", where)),
            client.do(operations.get_statistics("minute", where)),
        )
    )


class RunSource:
    """Follows one execution until it ends."""

    def __init__(self, client: AsyncClient, run_id: UUID) -> None:
        self._client = client
        self._run_id = run_id

    async def updates(self) -> AsyncIterator[RunState]:
        """Yield the execution at every change of its numbers; the charts are a few seconds old."""
        charts, drawn = RunCharts(), -_CHARTS_S
        report: Report | None = None
        async for report in self._client.follow(self._run_id):
            now = time.monotonic()
            if now - drawn >= _CHARTS_S:
                charts, drawn = await read_charts(self._client, self._run_id), now
            yield RunState(report, charts)
        if report is not None:
            yield RunState(report, await read_charts(self._client, self._run_id))

    async def close(self) -> None:
        await self._client.close()
