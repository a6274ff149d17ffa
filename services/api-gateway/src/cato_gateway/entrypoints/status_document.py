"""The status document, written page by page: constant memory for any number of subscribers."""

from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID

from pydantic import Field
from pydantic_core import to_json

from cato_contracts.model import Resource
from cato_contracts.resources import Page
from cato_contracts.status import Report, SubscriberStatus, TaskExec

NextPage = Callable[[int, str | None], Awaitable[Page[SubscriberStatus]]]


class StatusDocument(Resource):
    """What the pieces make together (manual, 3.6)."""

    id: UUID
    report: Report
    subscribers: list[SubscriberStatus]
    next_cursor: str | None = Field(default=None, description="There when `limit` or `cursor` was given.")


async def status_document(
    execution: TaskExec, page: NextPage | None, limit: int | None, cursor: str | None, *, page_size: int
) -> AsyncIterator[bytes]:
    """Yield the document: without `limit` to the last subscriber, with it up to so many and a `nextCursor`.

    The first piece has the first page in it. `page` None leaves the subscribers out.
    """
    head = (
        b'{"id":'
        + to_json(execution.id)
        + b',"report":'
        + execution.report.model_dump_json(by_alias=True).encode()
    )
    pending = head + b',"subscribers":['
    left, separator = limit, b""
    while page is not None:
        part = await page(page_size if left is None else left, cursor)
        rows = b",".join(item.model_dump_json(by_alias=True).encode() for item in part.items)
        if rows:
            pending += separator + rows
            separator = b","
        cursor = part.next_cursor
        if left is not None:
            left -= len(part.items)
        if cursor is None or left == 0:
            break
        if pending:
            yield pending
            pending = b""
    tail = b"]" if limit is None else b'],"nextCursor":' + to_json(cursor if page is not None else None)
    yield pending + tail + b"}"
