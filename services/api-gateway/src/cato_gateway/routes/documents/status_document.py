"""The status document, written page by page: constant memory for any number of subscribers."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from uuid import UUID

from pydantic import Field
from pydantic_core import to_json

from cato_contracts.api.examples import EXECUTION_ID, TASK_ID
from cato_contracts.api.rules.approvals import Approval
from cato_contracts.api.status import Report, StatusText, SubscriberStatus, TaskExec
from cato_contracts.model import Instant, Resource

NextPage = Callable[[int, str | None], Awaitable[StatusText]]


class StatusDocument(Resource):
    """The complete document (manual, 3.6)."""

    id: UUID = Field(examples=[EXECUTION_ID])
    """The execution's id."""

    task_id: UUID = Field(examples=[TASK_ID])
    """The task that is executed."""

    started_at: Instant = Field(examples=["2024-03-24T08:30:00Z"])
    """When it was started."""

    ended_at: Instant | None = Field(examples=["2024-03-24T08:32:00Z"])
    """When it ended; null: it is in progress."""

    report: Report
    """The numbers of the execution."""

    subscribers: list[SubscriberStatus]
    """The results of each subscriber, in the order of the list."""

    approval: Approval | None = Field(default=None, exclude_if=lambda approval: approval is None)
    """The approval by a second user that it needs before its first call; absent: it needs none."""

    next_cursor: str | None = None
    """The `cursor` of the next part; null: this is the last one. Absent without `limit` or `cursor`."""


async def status_document(
    execution: TaskExec, page: NextPage | None, limit: int | None, cursor: str | None, *, page_size: int
) -> AsyncIterator[bytes]:
    """Yield the document: without `limit` all subscribers, with it at most `limit` and a `nextCursor`.

    The first piece contains the first page. `page` None leaves the subscribers out.
    """
    head = execution.model_dump_json(
        by_alias=True, include={"id", "task_id", "started_at", "ended_at", "report", "approval"}
    )
    pending = head.removesuffix("}").encode() + b',"subscribers":['
    separator = b""
    if page is None:
        cursor = None
    else:
        async with aclosing(_parts(page, limit, cursor, page_size)) as parts:
            async for part in parts:
                cursor = part.next_cursor
                rows = part.text()
                if rows:
                    pending += separator + rows
                    separator = b","
                if cursor is not None and pending:
                    yield pending
                    pending = b""
    tail = b"]" if limit is None else b'],"nextCursor":' + to_json(cursor)
    yield pending + tail + b"}"


async def _parts(
    page: NextPage, left: int | None, cursor: str | None, page_size: int
) -> AsyncGenerator[StatusText, None]:
    """Yield page after page; each is requested while the one before it is sent to the client."""

    def ask(position: str | None) -> asyncio.Future[StatusText]:
        return asyncio.ensure_future(page(page_size if left is None else left, position))

    asked = ask(cursor)
    try:
        while True:
            part = await asked
            if left is not None:
                left -= part.count
            if part.next_cursor is None or left == 0:
                yield part
                return
            # An answer is also limited in bytes; reading more subscribers than fit is wasted work.
            page_size = min(page_size, part.count)
            asked = ask(part.next_cursor)
            yield part
    finally:
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)
