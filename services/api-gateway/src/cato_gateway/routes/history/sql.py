"""`/sql`: SELECT over the views for analysts, for tokens with the permission `analyst`."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field, JsonValue
from starlette.responses import Response

from cato_contracts.api.examples import EXECUTION_ID
from cato_contracts.api.sql import RunSql, SqlFormat
from cato_contracts.model import Resource
from cato_gateway.http.request_context import API, Analyst
from cato_gateway.openapi import responses
from cato_gateway.openapi.content import json_content, request_body, text_content

router = APIRouter(prefix=API, tags=["history"], responses=responses.COMMON)

_EXAMPLE = "SELECT outcome, count() AS calls FROM calls WHERE run_id = {run:UUID} GROUP BY outcome"
_MEDIA_TYPES = {SqlFormat.JSON: "application/json", SqlFormat.CSV: "text/csv; charset=utf-8"}


class SqlBody(Resource):
    """A statement with the values of its placeholders."""

    sql: str = Field(min_length=1, max_length=50_000, examples=[_EXAMPLE])
    """One SELECT over the views of `docs/analytics.md`, without SETTINGS, FORMAT and INTO."""

    parameters: dict[str, str] = Field(default_factory=dict, examples=[{"run": EXECUTION_ID}])
    """The values of placeholders such as `{run:UUID}`, by name."""


class SqlColumn(Resource):
    """A column of a result."""

    name: str = Field(examples=["outcome"])
    """Its name."""

    type: str = Field(examples=["String"])
    """Its type in ClickHouse."""


class SqlTable(Resource):
    """The result of a statement, at most 10,000 rows."""

    columns: list[SqlColumn] = Field(
        examples=[[{"name": "outcome", "type": "String"}, {"name": "calls", "type": "UInt64"}]]
    )
    """The columns, in order."""

    rows: list[list[JsonValue]] = Field(examples=[[["succeeded", 118], ["failed", 2]]])
    """The rows: the values in the order of the columns; times in UTC."""


@router.post(
    "/sql",
    response_model=SqlTable,
    responses=responses.answer("The result.", text_content("text/csv", "outcome,calls\nsucceeded,118\n"))
    | responses.errors(413, 415),
    openapi_extra=request_body(json_content(SqlBody)),
)
async def run_sql(
    context: Analyst,
    format: Annotated[SqlFormat, Query(description="The format of the result.")] = SqlFormat.JSON,  # noqa: A002
) -> Response:
    """Execute one SELECT over the views for analysts, which have the runs of all users; it changes nothing.

    At most 30 s, 10,000 rows and 512 MB of memory. The result has everything that had happened before the
    request.
    """
    body, _ = await context.body(SqlBody)
    query = RunSql(actor=context.actor, statement=body.sql, parameters=dict(body.parameters), format=format)
    result = await context.ask(query, timeout=context.deps.settings.upload_timeout)
    return Response(result.content(), media_type=_MEDIA_TYPES[format])
