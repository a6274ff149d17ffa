"""Executions that other people have started, and that wait for an approval."""

from uuid import UUID

from starlette.responses import Response

from cato_client import ConflictError, Operation, operations
from cato_client.models import Approval
from cato_console.http.visits import Visit, words

_PAGE = 50
_ADDRESS = "/approvals"


async def show(visit: Visit) -> Response:
    """List what waits, the newest first."""
    cursor = visit.query("cursor") or None
    found = await visit.api.do(operations.list_approvals(limit=_PAGE, cursor=cursor))
    return visit.page("approvals.html", runs=found.items, next_cursor=found.next_cursor, first=cursor is None)


async def approve(visit: Visit) -> Response:
    run_id, comment = await _decided(visit)
    return await _carry_out(visit, operations.approve(run_id, comment=comment), "approved")


async def reject(visit: Visit) -> Response:
    run_id, comment = await _decided(visit)
    return await _carry_out(visit, operations.reject(run_id, comment=comment), "rejected")


async def _decided(visit: Visit) -> tuple[UUID, str | None]:
    """Return the execution that the form is about, and the comment in it."""
    form = await visit.form()
    run_id: UUID = visit.request.path_params["id"]
    return run_id, words(form, "comment") or None


async def _carry_out(visit: Visit, operation: Operation[Approval], notice: str) -> Response:
    try:
        await visit.api.do(operation)
    except ConflictError:
        # Somebody else was faster, or its time has passed: the page shows what waits now.
        return visit.go(_ADDRESS, notice="changed")
    return visit.go(_ADDRESS, notice=notice)
