"""`/calls` and `/statistics`: the history, for analysts."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BeforeValidator, Field, ValidationError, WrapValidator
from starlette.responses import Response

from cato_contracts.api.examples import CALL_ID, EXECUTION_ID, STATION_ID, SUBSCRIBER_ID, TASK_ID
from cato_contracts.api.history import (
    CallDetail,
    CallFilter,
    CallOutcome,
    CallPage,
    ExportFormat,
    GetCall,
    GetStatistics,
    Grouping,
    ListCalls,
    Statistics,
)
from cato_contracts.api.phone_numbers import PHONE_SCHEMA, normalised_phone
from cato_contracts.api.resources import TimeZoneName
from cato_contracts.errors import InvalidError
from cato_gateway.http.request_context import API, Reader, ResourceId, json_answer
from cato_gateway.http.streaming import Streamed, started
from cato_gateway.openapi import responses
from cato_gateway.openapi.content import binary_content, text_content
from cato_gateway.routes.documents.call_export import MEDIA_TYPES, export_pieces, file_name
from cato_gateway.routes.parameters import Cursor, Limit

router = APIRouter(prefix=API, tags=["history"], responses=responses.COMMON)

_EXAMPLE_TIME = "2024-03-24T08:30:00Z"
_DATE_FIRST = re.compile(r"\d{4}-\d\d-\d\dT", re.IGNORECASE)
_LOST_PLUS_OF_ZONE = re.compile(r" (?=\d\d:?\d\d$)")
_LOST_PLUS_OF_NUMBER = re.compile(r" (?=\d[\d ()\t-]*$)")

_CSV = f"""\
id,taskExecId,taskId,taskName,subscriberId,subscriberName,wave,number,stationId,startedAt,ringingAt,answeredAt,\
endedAt,outcome,success,sipCode,reason,pddMs,talkMs,heardMs,digits,delayed
{CALL_ID},{EXECUTION_ID},{TASK_ID},task_2024-03-24,{SUBSCRIBER_ID},Ivan Potapov,1,776429,{STATION_ID},\
2024-03-24T07:45:11.695Z,2024-03-24T07:45:12.101Z,2024-03-24T07:45:15.044Z,2024-03-24T07:45:21.470Z,succeeded,true,\
200,heard-to-the-end,406,6426,6390,,false
"""
_JSON_LINES = f"""\
{{"id": "{CALL_ID}", "taskExecId": "{EXECUTION_ID}", "taskId": "{TASK_ID}", "taskName": "task_2024-03-24", \
"subscriberId": "{SUBSCRIBER_ID}", "subscriberName": "Ivan Potapov", "wave": 1, "number": "776429", \
"stationId": "{STATION_ID}", "startedAt": "2024-03-24T07:45:11.695Z", \
"ringingAt": "2024-03-24T07:45:12.101Z", "answeredAt": "2024-03-24T07:45:15.044Z", \
"endedAt": "2024-03-24T07:45:21.470Z", "outcome": "succeeded", "success": true, \
"sipCode": 200, "reason": "heard-to-the-end", "pddMs": 406, "talkMs": 6426, "heardMs": 6390, \
"digits": "", "delayed": false}}
"""
_EXPORTS = (
    text_content("text/csv", _CSV)
    | text_content("application/x-ndjson", _JSON_LINES)
    | binary_content(MEDIA_TYPES[ExportFormat.PARQUET])
)


class Calls(CallPage):
    """A page of calls."""


def _instant(text: str, parse: Callable[[str], AwareDatetime]) -> AwareDatetime:
    """Read a time. A blank before the offset is a + that was not encoded as %2B in the URL."""
    try:
        if _DATE_FIRST.match(text):  # pydantic would read a number as Unix time
            return parse(_LOST_PLUS_OF_ZONE.sub("+", text))
    except ValidationError:
        pass
    msg = f"should be an ISO 8601 time with its zone, such as {_EXAMPLE_TIME}, not {text[:60]!r}"
    raise ValueError(msg)


def _number(text: str) -> str:
    return normalised_phone(_LOST_PLUS_OF_NUMBER.sub("+", text) if text.startswith(" ") else text)


_Time = Annotated[AwareDatetime, WrapValidator(_instant, json_schema_input_type=datetime)]
_Words = Annotated[str, Field(pattern=r"\S")]
_Number = Annotated[str, BeforeValidator(_number), Field(json_schema_extra={**PHONE_SCHEMA})]


async def _call_filter(  # noqa: PLR0917 - parameters of the request
    since: Annotated[
        _Time | None,
        Query(
            alias="from",
            description="Calls started at this time or later, ISO 8601 with a zone.",
            openapi_examples={"midnight": {"value": "2024-03-24T00:00:00+03:00"}},
        ),
    ] = None,
    until: Annotated[
        _Time | None,
        Query(
            alias="to",
            description="Calls started before this time, ISO 8601 with a zone.",
            openapi_examples={"midnight": {"value": "2024-03-25T00:00:00+03:00"}},
        ),
    ] = None,
    number: Annotated[
        _Number | None,
        Query(
            description=(
                "Calls to this number, however it is written: with or without punctuation, in the national"
                " or the international form."
            ),
            openapi_examples={"short": {"value": "776429"}},
        ),
    ] = None,
    name: Annotated[
        _Words | None,
        Query(
            max_length=200,
            description="Calls to subscribers whose name has every word of this in it, in any case.",
            openapi_examples={"surname": {"value": "potapov"}},
        ),
    ] = None,
    run_id: Annotated[UUID | None, Query(alias="taskExecId", description="Calls of this execution.")] = None,
    station_id: Annotated[
        UUID | None, Query(alias="stationId", description="Calls through this station.")
    ] = None,
    outcome: Annotated[CallOutcome | None, Query(description="Calls that stand so, or ended so.")] = None,
) -> CallFilter:
    """Return the conditions of a request.

    Raises:
        InvalidError: if no call can meet them.

    """
    if since is not None and until is not None and since >= until:
        raise InvalidError(f"to should be later than from, not {until.isoformat()}")
    return CallFilter(
        since=since,
        until=until,
        number=number,
        name=name,
        run_id=run_id,
        station_id=station_id,
        outcome=outcome,
    )


Where = Annotated[CallFilter, Depends(_call_filter)]


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
async def export_calls(
    context: Reader,
    where: Where,
    format: Annotated[ExportFormat, Query(description="What kind of file.")] = ExportFormat.CSV,  # noqa: A002
) -> Response:
    """Export all matching calls as a file, the earliest start first.

    A response without its end is incomplete: if an export fails on the way, the connection is closed.
    """
    pieces = await started(export_pieces(context, where, format))
    headers = {
        "Content-Disposition": f'attachment; filename="{file_name(where, format)}"',
        "Cache-Control": "no-store",
    }
    return Streamed(pieces, MEDIA_TYPES[format], headers)


@router.get("/calls/{id}", response_model=CallDetail, responses=responses.errors(404))
async def get_call(context: Reader, id: ResourceId) -> Response:  # noqa: A002
    """Get a call with its events."""
    found = await context.ask(GetCall(actor=context.actor, id=id))
    return json_answer(found)


@router.get("/statistics", response_model=Statistics)
async def get_statistics(
    context: Reader,
    where: Where,
    group_by: Annotated[Grouping, Query(alias="groupBy", description="What a line is about.")],
    time_zone: Annotated[
        TimeZoneName | None,
        Query(
            alias="timeZone",
            description="The IANA name of the zone of hours and days; absent: the configured one.",
            openapi_examples={"Moscow": {"value": "Europe/Moscow"}},
        ),
    ] = None,
) -> Response:
    """Get statistics of calls, by group and in total."""
    query = GetStatistics(actor=context.actor, where=where, group_by=group_by, time_zone=time_zone)
    found = await context.ask(query)
    return json_answer(found)
