"""`/task-execs`: runs, their status document and their control (manual, 3.6)."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Query
from starlette.responses import Response

from cato_contracts.campaign_commands import PauseRun, ResumeRun, StopRun
from cato_contracts.status import (
    STATUS_TEXT_LIMIT,
    GetStatusText,
    GetTaskExec,
    ListTaskExecs,
    StatusText,
    SubscriberFilter,
)
from cato_gateway.http.event_stream import END, HEADERS, MEDIA_TYPE, is_over, run_events
from cato_gateway.http.request_context import API, Reader, ResourceId, Runner, json_answer
from cato_gateway.http.streaming import Streamed, begun
from cato_gateway.openapi import documented
from cato_gateway.routes.parameters import Cursor, Limit
from cato_gateway.routes.status_document import StatusDocument, status_document
from cato_gateway.routes.views import RunControl, TaskExecs

router = APIRouter(prefix=f"{API}/task-execs", tags=["executions"])

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

    async def page(size: int, position: str | None) -> StatusText:
        query = GetStatusText(
            actor=call.actor, run_id=id, filter=subscribers, events=events, limit=size, cursor=position
        )
        return await call.ask(query)

    wanted = None if subscribers is SubscriberFilter.NONE else page
    document = await begun(status_document(execution, wanted, limit, cursor, page_size=STATUS_TEXT_LIMIT))
    return Streamed(document, "application/json")


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


@router.get(
    "/{id}/stream",
    response_class=Response,
    responses=documented.events() | documented.refusals(404),
)
async def stream_task_exec(
    call: Reader,
    id: ResourceId,  # noqa: A002
    last_event_id: Annotated[
        str | None,
        Header(alias="Last-Event-ID", description="The id of the last event that the client has had."),
    ] = None,
) -> Response:
    """Follow an execution live, by server-sent events: its `report` whenever it changes, then an `end`.

    At most four reports a second; a client that is slow gets the newest one. Both events carry the report. A
    response that ends without `end` says that this gateway is stopping: come again. One who comes again after
    `end` gets 204, which ends an `EventSource`.
    """
    execution = await call.ask(GetTaskExec(actor=call.actor, id=id))
    if last_event_id == END and is_over(execution):
        return Response(status_code=204)
    return Streamed(run_events(call.gateway.watches, execution), MEDIA_TYPE, HEADERS)
