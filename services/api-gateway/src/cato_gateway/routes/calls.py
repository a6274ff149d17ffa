"""`/calls` and `/statistics`: the history, for analysts."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from cato_contracts.history import (
    CallDetail,
    ExportFormat,
    GetCall,
    GetStatistics,
    Grouping,
    ListCalls,
    Statistics,
)
from cato_contracts.resources import TimeZoneName
from cato_gateway.http.request_context import API, Reader, ResourceId, json_answer
from cato_gateway.http.streaming import Streamed, begun
from cato_gateway.openapi import documented
from cato_gateway.routes.call_export import MEDIA_TYPES, export_pieces, file_name
from cato_gateway.routes.call_filter import Where
from cato_gateway.routes.parameters import Cursor, Limit
from cato_gateway.routes.views import Calls

router = APIRouter(prefix=API, tags=["history"])


@router.get("/calls", response_model=Calls, responses=documented.refusals(400))
async def list_calls(call: Reader, where: Where, limit: Limit = 100, cursor: Cursor = None) -> Response:
    """List calls, the latest start first."""
    found = await call.ask(ListCalls(actor=call.actor, where=where, limit=limit, cursor=cursor))
    return json_answer(found)


@router.get(
    "/calls/export",
    response_class=Response,
    responses=documented.exports() | documented.refusals(400),
)
async def export_calls(
    call: Reader,
    where: Where,
    format: Annotated[ExportFormat, Query(description="What kind of file.")] = ExportFormat.CSV,  # noqa: A002
) -> Response:
    """Give out calls as a file, the earliest start first, however many there are.

    Without an end of the response the file is not whole: an export that fails on the way is broken off.
    """
    pieces = await begun(export_pieces(call, where, format))
    headers = {
        "Content-Disposition": f'attachment; filename="{file_name(where, format)}"',
        "Cache-Control": "no-store",
    }
    return Streamed(pieces, MEDIA_TYPES[format], headers)


@router.get("/calls/{id}", response_model=CallDetail, responses=documented.refusals(404))
async def get_call(call: Reader, id: ResourceId) -> Response:  # noqa: A002
    """Get a call with its events."""
    found = await call.ask(GetCall(actor=call.actor, id=id))
    return json_answer(found)


@router.get("/statistics", response_model=Statistics, responses=documented.refusals(400))
async def get_statistics(
    call: Reader,
    where: Where,
    group_by: Annotated[Grouping, Query(alias="groupBy", description="What a line is about.")],
    time_zone: Annotated[
        TimeZoneName | None,
        Query(
            alias="timeZone",
            description="The IANA name of the zone of hours and days; absent: the configured one.",
        ),
    ] = None,
) -> Response:
    """Get the figures of calls, by group and together."""
    query = GetStatistics(actor=call.actor, where=where, group_by=group_by, time_zone=time_zone)
    found = await call.ask(query)
    return json_answer(found)
