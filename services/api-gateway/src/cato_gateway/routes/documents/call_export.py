"""An export of calls, fetched from reporting piece by piece as the client reads it."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime

import structlog

from cato_contracts.api.history import (
    BeginCallExport,
    CallFilter,
    EndCallExport,
    ExportFormat,
    TakeExportPiece,
)
from cato_contracts.errors import CatoError, NotFoundError, UnavailableError
from cato_gateway.http.request_context import RequestContext

log = structlog.get_logger()

MEDIA_TYPES = {
    ExportFormat.CSV: "text/csv; charset=utf-8",
    ExportFormat.JSONL: "application/x-ndjson",
    ExportFormat.PARQUET: "application/vnd.apache.parquet",
}
_releases: set[asyncio.Task[None]] = set()


def file_name(where: CallFilter, form: ExportFormat) -> str:
    """Return the file name for an export: its format, and its period if that is limited."""
    words = ["calls"]
    words += [f"from-{_word(where.since)}"] if where.since else []
    words += [f"to-{_word(where.until)}"] if where.until else []
    return f"{'-'.join(words)}.{form}"


def _word(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


async def export_pieces(
    context: RequestContext, where: CallFilter, form: ExportFormat
) -> AsyncGenerator[bytes, None]:
    """Yield an export; the next piece is requested when the client has read the one before.

    Raises:
        RefusedError: as `Asker.ask`; `UnavailableError` if the service has lost it.

    """
    export = await context.order(BeginCallExport(actor=context.actor, where=where, format=form))
    index, last = 0, False
    try:
        while not last:
            try:
                piece = await context.order(TakeExportPiece(actor=context.actor, id=export.id, place=index))
            except NotFoundError as error:
                raise UnavailableError("the export was lost in the middle; try again") from error
            index, last = index + 1, piece.last
            if piece.data:
                yield piece.data
    finally:
        if not last:
            # In a separate task: the request may have been cancelled already.
            release = asyncio.create_task(_release(context, EndCallExport(actor=context.actor, id=export.id)))
            _releases.add(release)
            release.add_done_callback(_releases.discard)


async def _release(context: RequestContext, command: EndCallExport) -> None:
    try:
        await context.order(command)
    except CatoError as error:
        log.info("export not released, it expires by itself", error=repr(error))
