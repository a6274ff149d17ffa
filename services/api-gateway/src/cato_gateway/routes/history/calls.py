"""`/calls`: the history of calls, for analysts."""

from fastapi import APIRouter
from starlette.responses import Response

from cato_contracts.api.examples import (
    CALL_ID,
    EXECUTION_ID,
    SIP_CALL_ID,
    STATION_ID,
    SUBSCRIBER_ID,
    TASK_ID,
)
from cato_contracts.api.exports import BeginCallExport
from cato_contracts.api.history import CallDetail, CallPage, GetCall, ListCalls
from cato_gateway.http.request_context import API, Reader, ResourceId, json_answer
from cato_gateway.openapi import responses
from cato_gateway.openapi.content import text_content
from cato_gateway.routes.history.call_filter import Where
from cato_gateway.routes.history.exports import BINARY, ExportForm, export_answer, file_name
from cato_gateway.routes.parameters import Cursor, Limit

router = APIRouter(prefix=API, tags=["history"], responses=responses.COMMON)

_CSV = f"""\
id,taskExecId,taskId,taskName,subscriberId,subscriberName,wave,number,stationId,startedAt,ringingAt,answeredAt,\
endedAt,outcome,success,sipCode,reason,pddMs,talkMs,heardMs,digits,delayed,\
reasonHeader,sipCallId,sharedWith
{CALL_ID},{EXECUTION_ID},{TASK_ID},task_2024-03-24,{SUBSCRIBER_ID},Ivan Potapov,1,776429,{STATION_ID},\
2024-03-24T07:45:11.695Z,2024-03-24T07:45:12.101Z,2024-03-24T07:45:15.044Z,2024-03-24T07:45:21.470Z,succeeded,true,\
200,heard-to-the-end,406,6426,6390,,false,Q.850;cause=16,{SIP_CALL_ID},
"""
_JSON_LINES = f"""\
{{"id": "{CALL_ID}", "taskExecId": "{EXECUTION_ID}", "taskId": "{TASK_ID}", "taskName": "task_2024-03-24", \
"subscriberId": "{SUBSCRIBER_ID}", "subscriberName": "Ivan Potapov", "wave": 1, "number": "776429", \
"stationId": "{STATION_ID}", "startedAt": "2024-03-24T07:45:11.695Z", \
"ringingAt": "2024-03-24T07:45:12.101Z", "answeredAt": "2024-03-24T07:45:15.044Z", \
"endedAt": "2024-03-24T07:45:21.470Z", "outcome": "succeeded", "success": true, \
"sipCode": 200, "reason": "heard-to-the-end", "pddMs": 406, "talkMs": 6426, "heardMs": 6390, \
"digits": "", "delayed": false, "reasonHeader": "Q.850;cause=16", "sipCallId": "{SIP_CALL_ID}", \
"sharedWith": []}}
"""
_EXPORTS = text_content("text/csv", _CSV) | text_content("application/x-ndjson", _JSON_LINES) | BINARY


class Calls(CallPage):
    """A page of calls."""


@router.get("/calls", response_model=Calls)
async def list_calls(context: Reader, where: Where, limit: Limit = 100, cursor: Cursor = None) -> Response:
    """List calls, the latest start first.

    A search by `number` or `name` also gives `subscribers`, on its first page: the subscribers of executions
    who have the number or the name, with the number of their calls. Those with 0 were never called.
    """
    searched = cursor is None and (where.number is not None or where.name is not None)
    query = ListCalls(actor=context.actor, where=where, limit=limit, cursor=cursor, subscribers=searched)
    found = await context.ask(query)
    return json_answer(found)


@router.get("/calls/export", response_class=Response, responses=responses.attachment(_EXPORTS))
async def export_calls(context: Reader, where: Where, form: ExportForm) -> Response:
    """Export all matching calls as a file, the earliest start first.

    A response without its end is incomplete: if an export fails on the way, the connection is closed.
    """
    command = BeginCallExport(
        actor=context.actor, where=where, format=form.format, dialect=form.dialect, time_zone=form.time_zone
    )
    return await export_answer(context, command, file_name("calls", form, where))


@router.get("/calls/{id}", response_model=CallDetail, responses=responses.errors(404))
async def get_call(context: Reader, id: ResourceId) -> Response:  # noqa: A002
    """Get a call with its events."""
    found = await context.ask(GetCall(actor=context.actor, id=id))
    return json_answer(found)
