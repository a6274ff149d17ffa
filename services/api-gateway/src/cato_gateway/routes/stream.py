"""`/stream`: all executions that a user may see, live."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query
from starlette.responses import Response

from cato_contracts.api.examples import EXECUTION_ID, TASK_ID
from cato_contracts.api.status import TaskExec
from cato_contracts.instants import from_unix_ms
from cato_contracts.model import Resource
from cato_gateway.http.authentication import still_permitted
from cato_gateway.http.event_stream import HEADERS, MEDIA_TYPE, board_events
from cato_gateway.http.request_context import API, Reader
from cato_gateway.http.streaming import Streamed
from cato_gateway.openapi import responses
from cato_gateway.openapi.content import event_content
from cato_gateway.run_board import CLOCKS
from cato_runtime.configuration.config import Permission

router = APIRouter(prefix=API, tags=["executions"], responses=responses.COMMON)

_LONGEST_GAP = timedelta(days=1)
_ID_DIGITS = 13
_RUN = (
    f'{{"id":"{EXECUTION_ID}","taskId":"{TASK_ID}","userId":"user","startedAt":"2024-03-24T08:30:00Z",'
    '"endedAt":null,"report":{"name":"task_2024-03-24","subscriberCount":2,"subscriberNotYetNotified":1,'
    '"subscriberNotified":1,"subscriberFailed":0,"callsTotal":2,"callsSucceeded":1,"callsFailed":0,'
    '"callsInProgress":1,"callsDelayed":0,"callsRinging":1,"callsTalking":0,"waveCurrent":1,"waveTotal":2,'
    '"activePhase":true,"state":"CALLING","eta":null}}'
)
_EVENTS = f"""retry: 1000

event: run
data: {_RUN}

id: 1711269003250
event: synced
data: {{"at":"2024-03-24T08:30:03.250Z"}}

"""


class StreamEvent(Resource):
    """An event of the stream of all executions, as server-sent events have it."""

    id: str | None = None
    """The id that a reconnecting client sends as `Last-Event-ID`; not every event has one."""

    event: Literal["run", "synced", "end"]
    """The event: an execution is new or has changed; all executions have been sent; there is nothing more."""

    data: str
    """JSON: of `run` the execution as in the list of executions, of `synced` the time `at`, of `end` the
    `reason`."""


_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events, until the token is not valid any more.",
        "content": event_content(MEDIA_TYPE, StreamEvent, _EVENTS),
    },
}


@router.get("/stream", response_class=Response, responses=_STREAM)
async def stream_all_task_execs(
    context: Reader,
    last_event_id: Annotated[
        str | None,
        Header(
            alias="Last-Event-ID", description="The id of the last event with one that the client has had."
        ),
    ] = None,
    max_s: Annotated[
        int | None,
        Query(
            alias="maxS",
            ge=0,
            le=86_400,
            description="End the stream after so many seconds, at 0 after `synced`; absent: never.",
        ),
    ] = None,
) -> Response:
    """Follow all executions that one may see, by server-sent events.

    First a `run` for every active execution, then `synced`. After that a `run` whenever an execution has
    begun, changed or ended, at most four times a second; a slow client gets the newest state. With
    `Last-Event-ID` the executions that ended since, at most a day ago, come first, too: no end is missed. The
    stream ends with `end` if the token is not valid any more (`TOKEN`) or after `maxS` (`TIME`). A response
    that ends without `end` means that this gateway is stopping: reconnect.
    """
    deps = context.deps
    missed: list[TaskExec] = []
    if (since := _time_of(last_event_id)) is not None:
        missed = [run async for run in deps.board.ended_since(context.actor, since)]
    events = board_events(
        deps.board,
        context.actor,
        missed,
        since=since,
        permitted=lambda: still_permitted(context.request, context.actor, Permission.READ),
        keep_alive_s=deps.watches.keep_alive_s,
        max_s=max_s,
    )
    return Streamed(events, MEDIA_TYPE, HEADERS)


def _time_of(event_id: str | None) -> datetime | None:
    """Return from when on a client may have missed something; None for an id that is not of this stream."""
    if event_id is None or len(event_id) > _ID_DIGITS or not event_id.isdecimal():
        return None
    return max(from_unix_ms(int(event_id)), datetime.now(UTC) - _LONGEST_GAP) - CLOCKS
