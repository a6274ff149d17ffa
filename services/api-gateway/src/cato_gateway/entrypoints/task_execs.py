"""`/task-execs`: runs, their status document and their control (manual, 3.6)."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response, StreamingResponse

from cato_contracts.campaign_commands import PauseRun, ResumeRun, StopRun
from cato_contracts.resources import Page
from cato_contracts.status import (
    GetTaskExec,
    ListSubscriberStatuses,
    ListTaskExecs,
    SubscriberFilter,
    SubscriberStatus,
)
from cato_gateway.entrypoints import documented
from cato_gateway.entrypoints.call import API, Reader, ResourceId, Runner, json_answer
from cato_gateway.entrypoints.parameters import Cursor, Limit
from cato_gateway.entrypoints.status_document import StatusDocument, status_document
from cato_gateway.entrypoints.streaming import begun
from cato_gateway.views import RunControl, TaskExecs
from cato_runtime.errors import NotAvailableYetError

router = APIRouter(prefix=f"{API}/task-execs", tags=["executions"])

_PAGE = 1000
Hangup = Annotated[bool, Query(description="End the calls that are up, too.")]


@router.get("", response_model=TaskExecs, responses=documented.refusals(400))
async def list_task_execs(
    call: Reader,
    limit: Limit = 100,
    cursor: Cursor = None,
    task_id: Annotated[UUID | None, Query(alias="taskId", description="Only of this task.")] = None,
    active: Annotated[bool | None, Query(description="Only those that have not ended, or have.")] = None,
) -> Response:
    """List executions with their numbers, newest first."""
    query = ListTaskExecs(actor=call.actor, task_id=task_id, active=active, limit=limit, cursor=cursor)
    found = await call.ask(query)
    return json_answer(found)


@router.get("/{id}", response_model=StatusDocument, responses=documented.refusals(400, 404))
async def get_task_exec(  # noqa: PLR0917 - parameters of the request
    call: Reader,
    id: ResourceId,  # noqa: A002
    subscribers: Annotated[
        SubscriberFilter, Query(description="Which subscribers to list.")
    ] = SubscriberFilter.ALL,
    events: Annotated[bool, Query(description="Whether calls list their events.")] = True,
    limit: Annotated[
        int | None, Query(ge=1, le=1000, description="At most so many subscribers; absent: all of them.")
    ] = None,
    cursor: Cursor = None,
) -> Response:
    """Get the status document: what happened to everybody so far. With `limit` it comes in pages."""
    execution = await call.ask(GetTaskExec(actor=call.actor, id=id))
    if cursor is not None and limit is None:
        limit = 100

    async def page(size: int, position: str | None) -> Page[SubscriberStatus]:
        query = ListSubscriberStatuses(
            actor=call.actor, run_id=id, filter=subscribers, events=events, limit=size, cursor=position
        )
        return await call.ask(query)

    wanted = None if subscribers is SubscriberFilter.NONE else page
    document = await begun(status_document(execution, wanted, limit, cursor, page_size=_PAGE))
    return StreamingResponse(document, media_type="application/json")


@router.put("/{id}/pause", response_model=RunControl, responses=documented.refusals(400, 404, 409))
async def pause_task_exec(call: Runner, id: ResourceId, hangup: Hangup = False) -> Response:  # noqa: A002
    """Start no more calls until it is resumed."""
    command = PauseRun(actor=call.actor, id=id, hangup=hangup)
    return await call.carry_out(command, lambda _: RunControl(task_exec_id=id))


@router.put("/{id}/resume", response_model=RunControl, responses=documented.refusals(400, 404, 409))
async def resume_task_exec(call: Runner, id: ResourceId) -> Response:  # noqa: A002
    """Go on after a pause."""
    return await call.carry_out(ResumeRun(actor=call.actor, id=id), lambda _: RunControl(task_exec_id=id))


@router.put("/{id}/stop", response_model=RunControl, responses=documented.refusals(400, 404, 409))
async def stop_task_exec(call: Runner, id: ResourceId, hangup: Hangup = False) -> Response:  # noqa: A002
    """End the execution for good."""
    command = StopRun(actor=call.actor, id=id, hangup=hangup)
    return await call.carry_out(command, lambda _: RunControl(task_exec_id=id))


@router.get("/{id}/stream", response_class=Response, responses=documented.refusals(404, 501))
async def stream_task_exec(_call: Reader, id: ResourceId) -> Response:  # noqa: A002
    """Follow an execution live. Not available yet: ask for the status document with `subscribers=none`."""
    raise NotAvailableYetError("the live stream is not available yet", resource_id=str(id))
