"""Pausing, resuming and stopping a run."""

from collections.abc import Callable
from typing import Any

from cato_contracts.messages.campaign_commands import PauseRun, ResumeRun, StopRun
from cato_dialer.campaign.domain.run.run import Run
from cato_dialer.campaign.handlers.coordinator.old_runs import archived_commit
from cato_dialer.campaign.handlers.deps import Deps
from cato_dialer.campaign.handlers.resources import translate_log_errors
from cato_dialer.campaign.handlers.starts.start_task import ensure_run_created
from cato_jetstream import NotFound
from cato_runtime.requests import RequestContext

Control = PauseRun | ResumeRun | StopRun


async def pause_run(deps: Deps, command: PauseRun, context: RequestContext) -> None:
    await _commit(deps, command, context, lambda run: run.pause(hangup=command.hangup, timestamp=context.now))


async def resume_run(deps: Deps, command: ResumeRun, context: RequestContext) -> None:
    await _commit(deps, command, context, lambda run: run.resume(timestamp=context.now))


async def stop_run(deps: Deps, command: StopRun, context: RequestContext) -> None:
    await _commit(deps, command, context, lambda run: run.stop(hangup=command.hangup, timestamp=context.now))


async def _commit(
    deps: Deps,
    command: Control,
    context: RequestContext,
    decision: Callable[[Run], None],
) -> None:
    """Commit the decision. The run's coordinator reads it in the log and acts on it."""

    def decide(run: Run) -> list[dict[str, Any]]:
        run.check_visible(command.actor)
        decision(run)
        return run.unpublished()

    with translate_log_errors("taskExec", command.id):
        try:
            run = await deps.runs.execute(command.id, context.command_id, decide)
        except NotFound:
            if (archived := await archived_commit(deps, command.id)) is not None:
                # It answers as a run that has ended: it refuses every decision that it has not taken already.
                run = deps.runs.restore(archived)
                run.check_visible(command.actor)
                if not archived.knows(context.command_id):
                    decision(run)
                return
            # The start of the run is decided, but the run has not been created yet.
            await deps.view.catch_up()
            running = deps.view.run(command.id)
            if running is None:
                raise
            await ensure_run_created(deps, running)
            run = await deps.runs.execute(command.id, context.command_id, decide)
    run.check_visible(command.actor)
