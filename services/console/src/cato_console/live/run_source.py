"""One execution: its numbers as they change, and the charts a few seconds later."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from cato_client import AsyncClient
from cato_client.models import Report
from cato_console.live.beside import Answered, beside
from cato_console.live.charts import CHARTS_S
from cato_console.views.run import RunCharts


@dataclass(frozen=True, slots=True)
class RunState:
    """What the page of an execution shows."""

    report: Report
    charts: RunCharts | None
    """None: not known yet; the page keeps those that it has."""


class RunSource:
    """Follows one execution until it ends. `charts` returns its charts; true: as they are at the end."""

    def __init__(
        self, client: AsyncClient, run_id: UUID, charts: Callable[[bool], Awaitable[RunCharts]]
    ) -> None:
        self._client = client
        self._run_id = run_id
        self._charts = charts

    async def updates(self) -> AsyncIterator[RunState]:
        """Yield the execution at every change of its numbers; the charts are a few seconds old."""
        charts: RunCharts | None = None
        report: Report | None = None
        async for item in beside(self._client.follow(self._run_id), lambda: self._charts(False), CHARTS_S):
            if isinstance(item, Answered):
                charts = item.answer or charts
            else:
                report = item
            # The first report shows that the token may see the execution.
            if report is not None:
                yield RunState(report, charts)
        if report is not None:
            yield RunState(report, await self._charts(True))

    async def close(self) -> None:
        await self._client.close()
