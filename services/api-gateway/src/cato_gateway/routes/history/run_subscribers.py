"""`/task-execs/{id}/subscribers` and `/invalid-numbers`: who was reached in an execution and who was not."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from cato_contracts.api.examples import SUBSCRIBER_ID
from cato_contracts.api.exports import (
    BeginSubscriberExport,
    ExportDialect,
    ExportFormat,
    ListRunSubscribers,
    SubscriberRecord,
)
from cato_contracts.api.resources import Page
from cato_contracts.api.rules.invalid_numbers import InvalidNumber, ListInvalidNumbers
from cato_contracts.api.status import SubscriberFilter
from cato_contracts.errors import InvalidError
from cato_gateway.http.request_context import API, Reader, ResourceId, json_answer
from cato_gateway.openapi import responses
from cato_gateway.openapi.content import binary_content, text_content
from cato_gateway.routes.history.call_filter import PhoneNumber, Words
from cato_gateway.routes.history.exports import (
    BINARY,
    MEDIA_TYPES,
    ExportForm,
    Form,
    export_answer,
    file_name,
)
from cato_gateway.routes.parameters import Cursor, Limit, ReadFormat

router = APIRouter(prefix=f"{API}/task-execs", tags=["history"], responses=responses.COMMON)

_CSV = f"""\
subscriberId,fullName,phones,emails,notified,reason,wave,number,calls,lastCallAt,consent,household,sharedWith
{SUBSCRIBER_ID},Ivan Potapov,776429,,false,busy,2,776429,2,2024-03-24T07:45:11.695Z,,,
"""
_JSON_LINES = f"""\
{{"subscriberId": "{SUBSCRIBER_ID}", "fullName": "Ivan Potapov", "phones": ["776429"], "emails": [], \
"notified": false, "reason": "busy", "wave": 2, "number": "776429", "calls": 2, \
"lastCallAt": "2024-03-24T07:45:11.695Z"}}
"""
_FILES = text_content("text/csv", _CSV) | binary_content(MEDIA_TYPES[ExportFormat.XLSX])
_EXPORTS = text_content("text/csv", _CSV) | text_content("application/x-ndjson", _JSON_LINES) | BINARY


Which = Annotated[
    SubscriberFilter,
    Query(
        description=(
            "Which subscribers: `unreached` are all who were not reached so far, called or not; `failed`"
            " those with a result in the current wave who were not reached."
        )
    ),
]


class RunSubscribers(Page[SubscriberRecord]):
    """A page of an execution's subscribers."""


@router.get(
    "/{id}/subscribers",
    response_model=RunSubscribers,
    responses=responses.answer("A page, or all of them as a file.", _FILES) | responses.errors(404),
)
async def list_task_exec_subscribers(  # noqa: PLR0917 - parameters of the request
    context: Reader,
    id: ResourceId,  # noqa: A002
    which: Annotated[Which, Query(alias="filter")] = SubscriberFilter.ALL,
    name: Annotated[
        Words | None,
        Query(max_length=200, description="Those whose name has every word of this in it, in any case."),
    ] = None,
    number: Annotated[
        PhoneNumber | None, Query(description="Those who have this number, however it is written.")
    ] = None,
    reason: Annotated[
        str | None,
        Query(pattern=r"^[a-z0-9-]{1,60}$", description="Those whose latest result has this reason."),
    ] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
    format: Annotated[  # noqa: A002
        ReadFormat,
        Query(description="A page, or all of `filter` as a file, without a search."),
    ] = ReadFormat.JSON,
    dialect: Annotated[
        ExportDialect,
        Query(
            description="Of `format=csv`: `excel` has a byte order mark, `;` between columns, local times."
        ),
    ] = ExportDialect.STANDARD,
) -> Response:
    """List the subscribers of an execution in the order of the list, with their results: a page, or a file.

    In the files no text is taken for a formula. `GET /task-execs/{id}/subscribers/export` has more formats.
    """
    if dialect is ExportDialect.EXCEL and format is not ReadFormat.CSV:
        raise InvalidError(f"dialect=excel goes with format=csv only, not with format={format}")
    if format is ReadFormat.JSON:
        query = ListRunSubscribers(
            actor=context.actor,
            run_id=id,
            filter=which,
            name=name,
            number=number,
            reason=reason,
            limit=limit,
            cursor=cursor,
        )
        found = await context.ask(query)
        return json_answer(found)
    if name is not None or number is not None or reason is not None or cursor is not None:
        raise InvalidError(
            f"format={format} gives all of filter; name, number, reason and cursor are of pages"
        )
    form = Form(ExportFormat(format), dialect, None)
    command = BeginSubscriberExport(
        actor=context.actor, run_id=id, filter=which, format=form.format, dialect=dialect
    )
    return await export_answer(context, command, file_name(f"subscribers-{which}-{id}", form))


class InvalidNumbers(Page[InvalidNumber]):
    """A page of invalid numbers."""


@router.get("/{id}/invalid-numbers", response_model=InvalidNumbers, responses=responses.errors(404))
async def list_invalid_numbers(
    context: Reader,
    id: ResourceId,  # noqa: A002
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """List the numbers of an execution whose last call says that they do not exist."""
    query = ListInvalidNumbers(actor=context.actor, run_id=id, limit=limit, cursor=cursor)
    found = await context.ask(query)
    return json_answer(found)


@router.get(
    "/{id}/subscribers/export",
    response_class=Response,
    responses=responses.attachment(_EXPORTS) | responses.errors(404),
)
async def export_task_exec_subscribers(
    context: Reader,
    id: ResourceId,  # noqa: A002
    form: ExportForm,
    subscribers: Which = SubscriberFilter.ALL,
) -> Response:
    """Export the subscribers of an execution as a file, in the order of the list: reached or not, and why.

    `calls` is 0 for those who were never called. A response without its end is incomplete: if an export fails
    on the way, the connection is closed.
    """
    command = BeginSubscriberExport(
        actor=context.actor,
        run_id=id,
        filter=subscribers,
        format=form.format,
        dialect=form.dialect,
        time_zone=form.time_zone,
    )
    return await export_answer(context, command, file_name(f"subscribers-{subscribers}-{id}", form))
