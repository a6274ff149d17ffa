"""Pausing, resuming and stopping a run."""

from collections.abc import Callable
from typing import Any

from cato_contracts.campaign_commands import PauseRun, ResumeRun, StopRun
from cato_dialer.campaign.domain.run.run import Run
from cato_dialer.campaign.handlers.catalog import Repositories, translate_log_errors
from cato_dialer.campaign.handlers.catalog_view import CatalogView
from cato_dialer.campaign.handlers.start_task import begun
from cato_jetstream import NotFound
from cato_runtime.requests import RequestContext, RequestTable

_WHAT = "execution"


class RunControlHandlers:
    """What people decide about a run; its coordinator reads it in the log and acts on it."""

    def __init__(self, repositories: Repositories, view: CatalogView) -> None:
        self._runs = repositories.runs
        self._view = view

    def register(self, table: RequestTable) -> None:
        table.add(PauseRun, self.pause)
        table.add(ResumeRun, self.resume)
        table.add(StopRun, self.stop)

    async def pause(self, command: PauseRun, context: RequestContext) -> None:
        await self._decide(
            command, context, lambda run: run.pause(hangup=command.hangup, timestamp=context.now)
        )

    async def resume(self, command: ResumeRun, context: RequestContext) -> None:
        await self._decide(command, context, lambda run: run.resume(timestamp=context.now))

    async def stop(self, command: StopRun, context: RequestContext) -> None:
        await self._decide(
            command, context, lambda run: run.stop(hangup=command.hangup, timestamp=context.now)
        )

    async def _decide(
        self,
        command: PauseRun | ResumeRun | StopRun,
        context: RequestContext,
        decision: Callable[[Run], None],
    ) -> None:
        def decide(run: Run) -> list[dict[str, Any]]:
            run.check_visible(command.actor)
            decision(run)
            return run.unpublished()

        with translate_log_errors(_WHAT, command.id):
            try:
                run = await self._runs.execute(command.id, context.command_id, decide)
            except NotFound:
                # A run that has been decided, and that nobody has begun yet.
                await self._view.fresh()
                running = self._view.run(command.id)
                if running is None:
                    raise
                await begun(self._runs, running)
                run = await self._runs.execute(command.id, context.command_id, decide)
        run.check_visible(command.actor)
