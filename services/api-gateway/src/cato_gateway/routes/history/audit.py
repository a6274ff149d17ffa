"""`/audit`: who has changed what."""

from typing import Any

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from cato_contracts.api.examples import TASK_ID
from cato_contracts.api.resources import Page
from cato_contracts.envelope import Envelope
from cato_contracts.messages.audit import ChangeMade
from cato_contracts.model import Instant, Resource
from cato_contracts.paging import number, read_cursor, write_cursor
from cato_gateway.http.request_context import API, Administrator, json_answer
from cato_gateway.openapi import responses
from cato_gateway.routes.parameters import Cursor, Limit

router = APIRouter(prefix=f"{API}/audit", tags=["audit"], responses=responses.COMMON)


class AuditRecord(Resource):
    """A change that a user has made."""

    at: Instant = Field(examples=["2024-03-24T07:45:11.695Z"])
    """When it was carried out."""

    user_id: str = Field(examples=["user"])
    """The user whose token made the request."""

    admin: bool = Field(examples=[False])
    """Whether the token had the permission to act for all users."""

    request_id: str = Field(examples=["bench-7"])
    """The `X-Request-ID` of the request, by which the logs have it."""

    operation: str = Field(examples=["replace_task"])
    """What was done."""

    resource_id: str | None = Field(examples=[TASK_ID])
    """The resource, execution or rule that it was done to."""

    before: dict[str, Any] | None = Field(examples=[{"name": "flood"}])
    """The resource before the change; null: it was new, or is not one that is replaced."""

    after: dict[str, Any] | None = Field(examples=[{"name": "flood drill"}])
    """The answer to the change: the resource after it; null: it was removed, or there is no answer."""


class AuditRecords(Page[AuditRecord]):
    """A page of the audit log, the newest change first."""


@router.get("", response_model=AuditRecords)
async def list_audit(context: Administrator, limit: Limit = 100, cursor: Cursor = None) -> Response:
    """List the changes that users have made through the API, the newest first. For administrators.

    Requests that were refused are not among them, nor is the content of lists and audio files.
    """
    before = None if cursor is None else read_cursor(cursor, number)[0]
    page = await context.deps.audit.page(before=before, limit=limit)
    items = [_record(change) for change in page.changes]
    more = None if page.before is None else write_cursor(page.before)
    return json_answer(AuditRecords(items=items, next_cursor=more))


def _record(change: Envelope[ChangeMade]) -> AuditRecord:
    body = change.body
    return AuditRecord(
        at=change.occurred_at,
        user_id=body.user_id,
        admin=body.admin,
        request_id=change.correlation_id,
        operation=body.operation,
        resource_id=body.resource_id,
        before=body.before,
        after=body.after,
    )
