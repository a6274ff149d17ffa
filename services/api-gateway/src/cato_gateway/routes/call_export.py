"""An export of calls, taken from its service piece by piece as the client takes it."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime

import structlog

from cato_contracts.errors import CatoError, NotFoundError, UnavailableError
from cato_contracts.history import (
    BeginCallExport,
    CallFilter,
    EndCallExport,
    ExportFormat,
    TakeExportPiece,
)
from cato_gateway.http.request_context import Call

log = structlog.get_logger()

MEDIA_TYPES = {
    ExportFormat.CSV: "text/csv; charset=utf-8",
    ExportFormat.JSONL: "application/x-ndjson",
    ExportFormat.PARQUET: "application/vnd.apache.parquet",
}
_goodbyes: set[asyncio.Task[None]] = set()


def file_name(where: CallFilter, form: ExportFormat) -> str:
    """Return what a browser is to keep an export under: its kind, and its time where that is limited."""
    words = ["calls"]
    words += [f"from-{_word(where.since)}"] if where.since else []
    words += [f"to-{_word(where.until)}"] if where.until else []
    return f"{'-'.join(words)}.{form}"


def _word(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


async def export_pieces(call: Call, where: CallFilter, form: ExportFormat) -> AsyncGenerator[bytes, None]:
    """Yield an export; the next piece is asked for when the one before is taken.

    Raises:
        RefusedError: as `Asker.ask`; `UnavailableError` if the service has lost it.

    """
    export = await call.order(BeginCallExport(actor=call.actor, where=where, format=form))
    place, last = 0, False
    try:
        while not last:
            try:
                piece = await call.order(TakeExportPiece(actor=call.actor, id=export.id, place=place))
            except NotFoundError as error:
                raise UnavailableError("the export was lost in the middle; try again") from error
            place, last = place + 1, piece.last
            if piece.data:
                yield piece.data
    finally:
        if not last:
            # Beside the request, which may be cancelled already.
            goodbye = asyncio.create_task(_let_go(call, EndCallExport(actor=call.actor, id=export.id)))
            _goodbyes.add(goodbye)
            goodbye.add_done_callback(_goodbyes.discard)


async def _let_go(call: Call, command: EndCallExport) -> None:
    try:
        await call.order(command)
    except CatoError as error:
        log.info("an export was not let go, it will expire", error=repr(error))
