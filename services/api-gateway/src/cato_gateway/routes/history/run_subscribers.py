"""`/task-execs/{id}/subscribers/export`: who was reached in an execution and who was not, as a file."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from cato_contracts.api.examples import SUBSCRIBER_ID
from cato_contracts.api.exports import BeginSubscriberExport
from cato_contracts.api.status import SubscriberFilter
from cato_gateway.http.request_context import API, Reader, ResourceId
from cato_gateway.openapi import responses
from cato_gateway.openapi.content import text_content
from cato_gateway.routes.history.exports import BINARY, ExportForm, export_answer, file_name

router = APIRouter(prefix=f"{API}/task-execs", tags=["history"], responses=responses.COMMON)

_CSV = f"""\
subscriberId,fullName,phones,emails,notified,reason,wave,number,calls,lastCallAt
{SUBSCRIBER_ID},Ivan Potapov,776429,,false,busy,2,776429,2,2024-03-24T07:45:11.695Z
"""
_JSON_LINES = f"""\
{{"subscriberId": "{SUBSCRIBER_ID}", "fullName": "Ivan Potapov", "phones": ["776429"], "emails": [], \
"notified": false, "reason": "busy", "wave": 2, "number": "776429", "calls": 2, \
"lastCallAt": "2024-03-24T07:45:11.695Z"}}
"""
_EXPORTS = text_content("text/csv", _CSV) | text_content("application/x-ndjson", _JSON_LINES) | BINARY


@router.get(
    "/{id}/subscribers/export",
    response_class=Response,
    responses=responses.attachment(_EXPORTS) | responses.errors(404),
)
async def export_task_exec_subscribers(
    context: Reader,
    id: ResourceId,  # noqa: A002
    form: ExportForm,
    subscribers: Annotated[
        SubscriberFilter,
        Query(
            description=(
                "Which subscribers: `unreached` are all who were not reached so far, called or not; `failed`"
                " those with a result in the current wave who were not reached."
            )
        ),
    ] = SubscriberFilter.ALL,
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
