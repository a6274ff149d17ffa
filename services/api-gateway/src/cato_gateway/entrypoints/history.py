"""`/calls` and `/statistics`: the history for analysts. The routes stand, their queries are to come."""

from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from cato_gateway.entrypoints import documented
from cato_gateway.entrypoints.call import API, Reader, ResourceId
from cato_runtime.errors import NotAvailableYetError

router = APIRouter(prefix=API, tags=["history"], responses=documented.refusals(501))


def _to_come(what: str, resource: UUID | None = None) -> NotAvailableYetError:
    return NotAvailableYetError(
        f"{what} is not available yet", resource_id=str(resource) if resource else None
    )


@router.get("/calls", response_class=Response)
async def list_calls(_call: Reader) -> Response:
    """List calls. Not available yet."""
    raise _to_come("the history of calls")


@router.get("/calls/export", response_class=Response)
async def export_calls(_call: Reader) -> Response:
    """Export calls as CSV, JSON lines or Parquet. Not available yet."""
    raise _to_come("the export of calls")


@router.get("/calls/{id}", response_class=Response, responses=documented.refusals(404))
async def get_call(_call: Reader, id: ResourceId) -> Response:  # noqa: A002
    """Get a call. Not available yet."""
    raise _to_come("the history of calls", id)


@router.get("/statistics", response_class=Response)
async def get_statistics(_call: Reader) -> Response:
    """Get numbers by hour, day, task, station or outcome. Not available yet."""
    raise _to_come("statistics")
