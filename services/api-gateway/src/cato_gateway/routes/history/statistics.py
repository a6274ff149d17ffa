"""`/statistics`: figures of calls by group."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from cato_contracts.api.history import GetStatistics, Grouping, Statistics
from cato_contracts.api.rules.hours import TimeZoneName
from cato_gateway.http.request_context import API, Reader, json_answer
from cato_gateway.openapi import responses
from cato_gateway.routes.history.call_filter import Where

router = APIRouter(prefix=API, tags=["history"], responses=responses.COMMON)


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
