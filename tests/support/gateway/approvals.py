"""Approvals in memory, for tests."""

from datetime import UTC, datetime
from uuid import UUID

from cato_contracts.api.resources import Page
from cato_contracts.api.rules.approvals import Approval, ApprovalState, ApproveRun, RejectRun
from cato_contracts.api.status import ListTaskExecs, TaskExec
from cato_contracts.errors import ConflictError, ForbiddenError, NotFoundError
from cato_contracts.requests import Actor
from cato_runtime.requests import RequestContext, RequestTable


class MemoryApprovals:
    """Answers the requests about executions that wait for an approval."""

    def __init__(self, table: RequestTable, runs: dict[UUID, TaskExec]) -> None:
        self._runs = runs
        table.add(ApproveRun, self._approve)
        table.add(RejectRun, self._reject)

    def need(self, run_id: UUID, requested_by: str) -> None:
        """Let an execution wait."""
        approval = Approval(
            state=ApprovalState.WAITING, requested_by=requested_by, until=datetime(2030, 1, 1, tzinfo=UTC)
        )
        self._runs[run_id] = self._runs[run_id].model_copy(update={"approval": approval})

    def waiting(self, query: ListTaskExecs) -> Page[TaskExec]:
        found = [run for run in self._runs.values() if self._waits(run) and self._seen(run, query.actor)]
        return Page[TaskExec](items=found[: query.limit])

    async def _approve(self, command: ApproveRun, _: RequestContext) -> Approval:
        return self._decide(command, ApprovalState.APPROVED)

    async def _reject(self, command: RejectRun, _: RequestContext) -> Approval:
        return self._decide(command, ApprovalState.REJECTED)

    def _decide(self, command: ApproveRun | RejectRun, state: ApprovalState) -> Approval:
        run = self._runs.get(command.id)
        if run is None or not self._seen(run, command.actor):
            raise NotFoundError("there is no such execution", resource_id=str(command.id))
        if run.approval is None or not self._waits(run):
            raise ConflictError("the taskExec needs no approval", resource_id=str(run.id))
        if run.approval.requested_by == command.actor.user_id:
            raise ForbiddenError("another user must approve it", resource_id=str(run.id))
        decided = run.approval.model_copy(
            update={
                "state": state,
                "by": command.actor.user_id,
                "at": datetime(2024, 3, 24, 8, 31, tzinfo=UTC),
                "comment": command.comment,
            }
        )
        self._runs[run.id] = run.model_copy(update={"approval": decided})
        return decided

    @staticmethod
    def _waits(run: TaskExec) -> bool:
        return run.approval is not None and run.approval.state is ApprovalState.WAITING

    @staticmethod
    def _seen(run: TaskExec, actor: Actor) -> bool:
        return actor.may_see(run.user_id) or (actor.approver and run.approval is not None)
