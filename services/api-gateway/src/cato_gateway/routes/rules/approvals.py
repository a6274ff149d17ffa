"""`/approvals`: executions that wait for a second user, and that user's decision."""

from fastapi import APIRouter
from pydantic import ConfigDict, Field
from starlette.responses import Response

from cato_contracts.api.resources import Page
from cato_contracts.api.rules.approvals import Approval, ApprovalComment, ApproveRun, RejectRun
from cato_contracts.api.status import ListTaskExecs, TaskExec
from cato_contracts.model import Resource
from cato_gateway.http.idempotency import IdempotencyKey
from cato_gateway.http.request_context import API, Approver, ResourceId, json_answer
from cato_gateway.openapi import responses
from cato_gateway.openapi.content import json_content, optional_body
from cato_gateway.routes.parameters import Cursor, Limit

router = APIRouter(prefix=API, tags=["approvals"], responses=responses.COMMON)


class Decision(Resource):
    """What the second user says about an approval or a rejection."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"comment": "Agreed with the city"}]})

    comment: ApprovalComment = Field(default=None, examples=["Agreed with the city"])
    """A comment that is kept with the execution and in the audit log."""


class WaitingTaskExecs(Page[TaskExec]):
    """A page of executions that wait for an approval."""


def _unchanged(approval: Approval) -> Approval:
    return approval


@router.get("/approvals", response_model=WaitingTaskExecs)
async def list_approvals(context: Approver, limit: Limit = 100, cursor: Cursor = None) -> Response:
    """List the executions of all users that wait for an approval, newest first.

    It needs the permission `approve`. Who has it may also read these executions, before and after the
    decision, and control none of them.
    """
    query = ListTaskExecs(actor=context.actor, awaits_approval=True, limit=limit, cursor=cursor)
    waiting = await context.ask(query)
    return json_answer(waiting)


@router.post(
    "/task-execs/{id}/approve",
    response_model=Approval,
    responses=responses.errors(404, 409, 413, 415),
    openapi_extra=optional_body(json_content(Decision)),
)
async def approve_task_exec(
    context: Approver,
    id: ResourceId,  # noqa: A002
    key: IdempotencyKey = None,
) -> Response:
    """Approve an execution that waits for it: its calls begin.

    403 for the user who has started it, 409 if it does not wait.
    """
    body, digest = await context.optional_body(Decision)
    command = ApproveRun(actor=context.actor, id=id, comment=body.comment)
    return await context.carry_out(command, _unchanged, key=key, digest=digest)


@router.post(
    "/task-execs/{id}/reject",
    response_model=Approval,
    responses=responses.errors(404, 409, 413, 415),
    openapi_extra=optional_body(json_content(Decision)),
)
async def reject_task_exec(
    context: Approver,
    id: ResourceId,  # noqa: A002
    key: IdempotencyKey = None,
) -> Response:
    """Reject an execution that waits for an approval: it ends without a call.

    403 for the user who has started it, 409 if it does not wait.
    """
    body, digest = await context.optional_body(Decision)
    command = RejectRun(actor=context.actor, id=id, comment=body.comment)
    return await context.carry_out(command, _unchanged, key=key, digest=digest)
