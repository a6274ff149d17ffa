"""Files of the API, passed on while they are read."""

from collections.abc import AsyncIterator

from starlette.responses import Response, StreamingResponse

from cato_client.models import ExportDialect, ListFileFormat
from cato_client.operation import XLSX, Operation
from cato_console.http.visits import Visit

_CSV = "text/csv; charset=utf-8"


def file_form(asked: str) -> tuple[ListFileFormat, ExportDialect]:
    """Return format and dialect: an Excel workbook, or CSV that Excel opens as it is."""
    return ("xlsx", "standard") if asked == "xlsx" else ("csv", "excel")


async def download(visit: Visit, operation: Operation[bytes], name: str) -> Response:
    """Answer with the file. What the API rejects is raised before the first byte."""
    pieces = visit.api.pieces(operation)
    first = await anext(pieces, b"")

    async def content() -> AsyncIterator[bytes]:
        yield first
        async for piece in pieces:
            yield piece

    return StreamingResponse(
        content(),
        media_type=XLSX if name.endswith(".xlsx") else _CSV,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
