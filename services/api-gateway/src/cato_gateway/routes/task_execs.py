"""`/task-execs`: runs, their status document and their control (manual, 3.6)."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Header, Query
from pydantic import Field
from starlette.responses import Response

from cato_contracts.api.examples import EXECUTION_ID
from cato_contracts.api.resources import Page, StartResult
from cato_contracts.api.status import (
    STATUS_TEXT_LIMIT,
    GetStatusText,
    GetTaskExec,
    ListTaskExecs,
    StatusText,
    SubscriberFilter,
    TaskExec,
)
from cato_contracts.errors import NotFoundError
from cato_contracts.messages.campaign_commands import PauseRun, ResumeRun, StopRun
from cato_contracts.model import Resource
from cato_gateway.http.event_stream import END, HEADERS, MEDIA_TYPE, is_over, run_events
from cato_gateway.http.idempotency import IdempotencyKey
from cato_gateway.http.request_context import API, Reader, RequestContext, ResourceId, Runner, json_answer
from cato_gateway.http.streaming import Streamed, started
from cato_gateway.openapi import responses
from cato_gateway.openapi.content import event_content
from cato_gateway.routes.documents.status_document import StatusDocument, status_document
from cato_gateway.routes.parameters import Cursor, Limit

router = APIRouter(prefix=f"{API}/task-execs", tags=["executions"], responses=responses.COMMON)

Hangup = Annotated[bool, Query(description="End the calls that are up, too.")]

_REPORT = (
    '{"name":"task_2024-03-24","subscriberCount":2,"subscriberNotYetNotified":0,"subscriberNotified":1,'
    '"subscriberFailed":1,"callsTotal":3,"callsSucceeded":1,"callsFailed":2,"callsInProgress":0,'
    '"callsDelayed":0,"callsRinging":0,"callsTalking":0,"waveCurrent":2,"waveTotal":2,"activePhase":false,'
    '"state":"FINISHED","eta":null}'
)
_EVENTS = f"""retry: 1000

id: 3f1b0c9a5d2e7a64
event: report
data: {_REPORT}

id: end
event: end
data: {_REPORT}

"""


class RunControl(Resource):
    """The answer to pausing, resuming and stopping: the command is accepted."""

    task_exec_id: UUID = Field(examples=[EXECUTION_ID])
    """The execution's id."""

    result: StartResult = Field(default=StartResult.SUCCESS, examples=["SUCCESS"])
    """Always `SUCCESS`: a refusal is an error."""


class TaskExecs(Page[TaskExec]):
    """A page of executions."""


class RunEvent(Resource):
    """An event of a live stream, as server-sent events have it."""

    id: str
    """The id that a reconnecting client sends as `Last-Event-ID`."""

    event: Literal["report", "end"]
    """The event: the numbers have changed, or the execution is over."""

    data: str = Field(
        json_schema_extra={
            "contentMediaType": "application/json",
            "contentSchema": {"$ref": "#/components/schemas/Report"},
        }
    )
    """The report as JSON."""


@router.get("", response_model=TaskExecs)
async def list_task_execs(  # noqa: PLR0917 - parameters of the request
    context: Reader,
    limit: Limit = 100,
    cursor: Cursor = None,
    id: Annotated[UUID | None, Query(description="Only this one, if there is such.")] = None,  # noqa: A002
    task_id: Annotated[UUID | None, Query(alias="taskId", description="Only of this task.")] = None,
    active: Annotated[bool | None, Query(description="Only those that have not ended, or have.")] = None,
) -> Response:
    """List executions with their numbers, newest first."""
    if id is not None:
        return json_answer(await _only(context, id, task_id, active=active))
    query = ListTaskExecs(actor=context.actor, task_id=task_id, active=active, limit=limit, cursor=cursor)
    found = await context.ask(query)
    return json_answer(found)


async def _only(
    context: RequestContext, run_id: UUID, task_id: UUID | None, *, active: bool | None
) -> TaskExecs:
    """Return the execution with an id as a page; an empty one if there is no such execution."""
    try:
        run = await context.ask(GetTaskExec(actor=context.actor, id=run_id))
    except NotFoundError:
        return TaskExecs(items=[])
    meant = task_id in {None, run.task_id} and active in {None, run.report.active_phase}
    return TaskExecs(items=[run] if meant else [])


@router.get("/{id}", response_model=StatusDocument, responses=responses.errors(404))
async def get_task_exec(  # noqa: PLR0917 - parameters of the request
    context: Reader,
    id: ResourceId,  # noqa: A002
    subscribers: Annotated[
        SubscriberFilter,
        Query(
            description=(
                "Which subscribers to list: `failed` are those with a result in the current wave who were not"
                " reached, `unreached` all who were not reached so far, whether they were called or not."
            )
        ),
    ] = SubscriberFilter.ALL,
    events: Annotated[bool, Query(description="Whether calls list their events.")] = True,
    limit: Annotated[
        int | None, Query(ge=1, le=1000, description="At most so many subscribers; absent: all of them.")
    ] = None,
    cursor: Cursor = None,
) -> Response:
    """Get the status document: the results of every subscriber so far. With `limit` it comes in pages."""
    execution = await context.ask(GetTaskExec(actor=context.actor, id=id))
    if cursor is not None and limit is None:
        limit = 100

    async def page(size: int, position: str | None) -> StatusText:
        query = GetStatusText(
            actor=context.actor, run_id=id, filter=subscribers, events=events, limit=size, cursor=position
        )
        return await context.ask(query)

    wanted = None if subscribers is SubscriberFilter.NONE else page
    document = await started(status_document(execution, wanted, limit, cursor, page_size=STATUS_TEXT_LIMIT))
    return Streamed(document, "application/json")


@router.put("/{id}/pause", response_model=RunControl, responses=responses.errors(404, 409))
async def pause_task_exec(
    context: Runner,
    id: ResourceId,  # noqa: A002
    hangup: Hangup = False,
    key: IdempotencyKey = None,
) -> Response:
    """Start no more calls until it is resumed."""
    command = PauseRun(actor=context.actor, id=id, hangup=hangup)
    return await context.carry_out(command, lambda _: RunControl(task_exec_id=id), key=key)


@router.put("/{id}/resume", response_model=RunControl, responses=responses.errors(404, 409))
async def resume_task_exec(
    context: Runner,
    id: ResourceId,  # noqa: A002
    key: IdempotencyKey = None,
) -> Response:
    """Resume calls after a pause."""
    command = ResumeRun(actor=context.actor, id=id)
    return await context.carry_out(command, lambda _: RunControl(task_exec_id=id), key=key)


@router.put("/{id}/stop", response_model=RunControl, responses=responses.errors(404, 409))
async def stop_task_exec(
    context: Runner,
    id: ResourceId,  # noqa: A002
    hangup: Hangup = False,
    key: IdempotencyKey = None,
) -> Response:
    """End the execution for good."""
    command = StopRun(actor=context.actor, id=id, hangup=hangup)
    return await context.carry_out(command, lambda _: RunControl(task_exec_id=id), key=key)


_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events, until the execution is over.",
        "content": event_content(MEDIA_TYPE, RunEvent, _EVENTS),
    },
    204: {"description": "`Last-Event-ID` is that of the `end`: there is nothing more to come."},
}


@router.get("/{id}/stream", response_class=Response, responses=_STREAM | responses.errors(404))
async def stream_task_exec(
    context: Reader,
    id: ResourceId,  # noqa: A002
    last_event_id: Annotated[
        str | None,
        Header(alias="Last-Event-ID", description="The id of the last event that the client has had."),
    ] = None,
) -> Response:
    """Follow an execution live, by server-sent events: its `report` whenever it changes, then an `end`.

    At most four reports a second; a slow client gets the newest one. Both events carry the report. A response
    that ends without `end` means that this gateway is stopping: reconnect. A client that reconnects after
    `end` gets 204, which ends an `EventSource`.
    """
    execution = await context.ask(GetTaskExec(actor=context.actor, id=id))
    if last_event_id == END and is_over(execution):
        return Response(status_code=204)
    return Streamed(run_events(context.deps.watches, execution), MEDIA_TYPE, HEADERS)
