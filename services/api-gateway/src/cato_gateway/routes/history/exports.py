"""Exports: their parameters, and the file, fetched from reporting piece by piece as the client reads it."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import structlog
from fastapi import Depends, Query
from starlette.responses import Response

from cato_contracts.api.exports import (
    BeginCallExport,
    BeginSubscriberExport,
    EndCallExport,
    ExportDialect,
    ExportFormat,
    TakeExportPiece,
)
from cato_contracts.api.history import CallFilter
from cato_contracts.api.rules.hours import TimeZoneName
from cato_contracts.errors import CatoError, InvalidError, NotFoundError, UnavailableError
from cato_gateway.http.request_context import RequestContext
from cato_gateway.http.streaming import Streamed, started
from cato_gateway.openapi.content import binary_content

log = structlog.get_logger()

MEDIA_TYPES = {
    ExportFormat.CSV: "text/csv; charset=utf-8",
    ExportFormat.JSONL: "application/x-ndjson",
    ExportFormat.PARQUET: "application/vnd.apache.parquet",
    ExportFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
BINARY = binary_content(MEDIA_TYPES[ExportFormat.PARQUET], MEDIA_TYPES[ExportFormat.XLSX])
"""The formats of exports that are no text, for the OpenAPI document."""

_releases: set[asyncio.Task[None]] = set()


@dataclass(frozen=True, slots=True)
class Form:
    """The form of a file; `time_zone` None is the configured one."""

    format: ExportFormat
    dialect: ExportDialect
    time_zone: str | None


async def _form(
    format: Annotated[ExportFormat, Query(description="What kind of file.")] = ExportFormat.CSV,  # noqa: A002
    dialect: Annotated[
        ExportDialect,
        Query(
            description="Of `format=csv`: `excel` has a byte order mark, `;` between columns, local times."
        ),
    ] = ExportDialect.STANDARD,
    time_zone: Annotated[
        TimeZoneName | None,
        Query(
            alias="timeZone",
            description="Of `dialect=excel` and `format=xlsx`: the IANA name of the zone of local times.",
            openapi_examples={"Moscow": {"value": "Europe/Moscow"}},
        ),
    ] = None,
) -> Form:
    if dialect is not ExportDialect.STANDARD and format is not ExportFormat.CSV:
        raise InvalidError(f"dialect={dialect} goes with format=csv only, not with format={format}")
    local = dialect is ExportDialect.EXCEL or format is ExportFormat.XLSX
    if time_zone is not None and not local:
        raise InvalidError(
            "timeZone goes with dialect=excel or format=xlsx only; other files have times in UTC"
        )
    return Form(format, dialect, time_zone)


ExportForm = Annotated[Form, Depends(_form)]


def file_name(what: str, form: Form, period: CallFilter | None = None) -> str:
    """Return the file name for an export: what it has, its period if that is limited, and its format."""
    words = [what]
    if period is not None:
        words += [f"from-{_word(period.since)}"] if period.since else []
        words += [f"to-{_word(period.until)}"] if period.until else []
    return f"{'-'.join(words)}.{form.format}"


async def export_answer(
    context: RequestContext, command: BeginCallExport | BeginSubscriberExport, name: str
) -> Response:
    """Answer with the file, in pieces; errors are those of `Asker.ask`."""
    pieces = await started(_pieces(context, command))
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
    }
    return Streamed(pieces, MEDIA_TYPES[command.format], headers)


def _word(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


async def _pieces(
    context: RequestContext, command: BeginCallExport | BeginSubscriberExport
) -> AsyncGenerator[bytes, None]:
    """Yield an export; the next piece is requested when the client has read the one before.

    Raises:
        RefusedError: as `Asker.ask`; `UnavailableError` if the service has lost it.

    """
    export = await context.order(command)
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
