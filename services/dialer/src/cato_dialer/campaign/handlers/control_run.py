"""Pausing, resuming and stopping a run; approving and rejecting one that waits for that."""

from collections.abc import Callable
from typing import Any

from cato_contracts.api.rules.approvals import Approval, ApprovalState, ApproveRun, RejectRun
from cato_contracts.errors import ConflictError, ForbiddenError
from cato_contracts.messages.campaign_commands import PauseRun, ResumeRun, StopRun
from cato_contracts.messages.runs import ApprovalOrder
from cato_dialer.campaign.domain.catalog.ownership import not_found
from cato_dialer.campaign.domain.run.run import Run
from cato_dialer.campaign.handlers.coordinator.old_runs import archived_commit
from cato_dialer.campaign.handlers.deps import Deps
from cato_dialer.campaign.handlers.resources import translate_log_errors
from cato_dialer.campaign.handlers.starts.start_task import ensure_run_created
from cato_jetstream import NotFound
from cato_runtime.requests import RequestContext

Control = PauseRun | ResumeRun | StopRun | ApproveRun | RejectRun


async def pause_run(deps: Deps, command: PauseRun, context: RequestContext) -> None:
    await _commit(deps, command, context, lambda run: run.pause(hangup=command.hangup, timestamp=context.now))


async def resume_run(deps: Deps, command: ResumeRun, context: RequestContext) -> None:
    await _commit(deps, command, context, lambda run: run.resume(timestamp=context.now))


async def stop_run(deps: Deps, command: StopRun, context: RequestContext) -> None:
    await _commit(deps, command, context, lambda run: run.stop(hangup=command.hangup, timestamp=context.now))


async def approve_run(deps: Deps, command: ApproveRun, context: RequestContext) -> Approval:
    """Let a waiting run begin.

    Raises:
        NotFoundError: if there is no such run for this actor.
        ForbiddenError: if the actor has started it.
        ConflictError: if it does not wait for an approval.

    """

    def decide(run: Run) -> None:
        _check_second_user(run, command)
        run.approve(by=command.actor.user_id, comment=command.comment, timestamp=context.now)

    run = await _commit(deps, command, context, decide)
    return _decided(run, command, ApprovalState.APPROVED)


async def reject_run(deps: Deps, command: RejectRun, context: RequestContext) -> Approval:
    """End a waiting run. Raises the same errors as `approve_run`."""

    def decide(run: Run) -> None:
        _check_second_user(run, command)
        run.reject(by=command.actor.user_id, comment=command.comment, timestamp=context.now)

    run = await _commit(deps, command, context, decide)
    return _decided(run, command, ApprovalState.REJECTED)


def _check_second_user(run: Run, command: ApproveRun | RejectRun) -> None:
    if command.actor.user_id == _order_of(run).requested_by:
        raise ForbiddenError(
            "you have started this taskExec: another user must approve or reject it; you can stop it",
            resource_id=str(run.id),
        )


def _order_of(run: Run) -> ApprovalOrder:
    if run.snapshot.approval is None:
        raise ConflictError("the taskExec needs no approval", resource_id=str(run.id))
    return run.snapshot.approval


def _decided(run: Run, command: ApproveRun | RejectRun, state: ApprovalState) -> Approval:
    order = _order_of(run)
    return Approval(
        state=state,
        requested_by=order.requested_by,
        until=order.until,
        by=command.actor.user_id,
        at=run.decided_at,
        comment=command.comment,
    )


async def _commit(
    deps: Deps,
    command: Control,
    context: RequestContext,
    decision: Callable[[Run], None],
) -> Run:
    """Commit the decision. The run's coordinator reads it in the log and acts on it."""

    def decide(run: Run) -> list[dict[str, Any]]:
        _check_visible(run, command)
        decision(run)
        return run.unpublished()

    with translate_log_errors("taskExec", command.id):
        try:
            run = await deps.runs.execute(command.id, context.command_id, decide)
        except NotFound:
            if (archived := await archived_commit(deps, command.id)) is not None:
                # It answers as a run that has ended: it refuses every decision that it has not taken already.
                run = deps.runs.restore(archived)
                _check_visible(run, command)
                if not archived.knows(context.command_id):
                    decision(run)
                return run
            # The start of the run is decided, but the run has not been created yet.
            await deps.view.catch_up()
            running = deps.view.run(command.id)
            if running is None:
                raise
            await ensure_run_created(deps, running)
            run = await deps.runs.execute(command.id, context.command_id, decide)
    _check_visible(run, command)
    return run


def _check_visible(run: Run, command: Control) -> None:
    """Raise NotFoundError if there is no such run for this actor: who approves runs does not control them."""
    if isinstance(command, ApproveRun | RejectRun):
        if not run.snapshot.seen_by(command.actor):
            raise not_found("task execution", run.id)
    else:
        run.check_visible(command.actor)
