"""The status document, written page by page: constant memory for any number of subscribers."""

import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID

from pydantic import Field
from pydantic_core import to_json

from cato_contracts.model import Resource
from cato_contracts.status import Report, StatusText, SubscriberStatus, TaskExec

NextPage = Callable[[int, str | None], Awaitable[StatusText]]


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
        rows = zlib.decompress(part.data)
        if rows:
            pending += separator + rows
            separator = b","
        cursor = part.next_cursor
        if left is not None:
            left -= part.count
        if cursor is None or left == 0:
            break
        if pending:
            yield pending
            pending = b""
    tail = b"]" if limit is None else b'],"nextCursor":' + to_json(cursor if page is not None else None)
    yield pending + tail + b"}"
