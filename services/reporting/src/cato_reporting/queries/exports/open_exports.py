"""Exports of calls and of subscribers: opened, fetched piece by piece, dropped when idle."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import structlog

from cato_contracts.api.exports import (
    BeginCallExport,
    BeginSubscriberExport,
    EndCallExport,
    Export,
    ExportDialect,
    ExportFormat,
    ExportPiece,
    TakeExportPiece,
)
from cato_contracts.api.status import SubscriberFilter
from cato_contracts.errors import InvalidError, NotFoundError, UnavailableError
from cato_contracts.numbering import Numbering
from cato_contracts.requests import Actor
from cato_reporting.errors import ReadModelAwayError, UnknownTimeZoneError
from cato_reporting.ports import CallHistory, ExportPages, Layout
from cato_reporting.projections.tables.list_loader import ListLoader
from cato_reporting.queries.history.call_queries import selection
from cato_reporting.queries.read_barrier import ReadBarrier, away
from cato_reporting.queries.status.run_lookup import RunLookup
from cato_runtime.requests import RequestContext

log = structlog.get_logger()

_PIECE = 512 * 1024
_MOST_OPEN = 8
_MOST_ENDED = 32
_MOST_READS = 7
_IDLE = timedelta(minutes=1)
_NAMESPACE = UUID("0b6c3c5e-6f0a-4f0e-9d51-6a7d3c0a53b1")


class _ExchangedError(Exception):
    """The tables were opened again since the export began: they may be other tables."""


@dataclass(slots=True)
class _OpenExport:
    """An open export: `given` is the last piece that was fetched, `place` its number.

    A completely fetched export is kept as well, because the client may request its last piece again.
    """

    user_id: str
    pages: ExportPages
    openings: int
    touched: datetime
    place: int = -1
    given: ExportPiece | None = None
    ready: bytearray = field(default_factory=bytearray)
    complete: bool = False
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def ended(self) -> bool:
        return self.given is not None and self.given.last


class OpenExports:
    """Writes an export as it is fetched: a part is made when its first piece is requested.

    An export lives in this process alone. The client may request the last piece again if the answer was lost.
    """

    def __init__(
        self,
        barrier: ReadBarrier,
        history: CallHistory,
        runs: RunLookup,
        lists: ListLoader,
        *,
        numbering: Numbering,
        time_zone: str,
    ) -> None:
        self._barrier = barrier
        self._history = history
        self._runs = runs
        self._lists = lists
        self._numbering = numbering
        self._time_zone = time_zone
        self._open: dict[UUID, _OpenExport] = {}

    async def begin_calls(self, command: BeginCallExport, context: RequestContext) -> Export:
        layout = self._layout(command)
        wanted = selection(command.actor, command.where, self._numbering)

        async def pages() -> ExportPages:
            await self._barrier.all_stored()
            return self._history.export_calls(wanted, layout)

        return await self._begin(command, context, pages)

    async def begin_subscribers(self, command: BeginSubscriberExport, context: RequestContext) -> Export:
        layout = self._layout(command)

        async def pages() -> ExportPages:
            needs_wave = command.filter is SubscriberFilter.FAILED
            snapshot, wave = await self._runs.snapshot(command.run_id, command.actor, needs_wave=needs_wave)
            await self._barrier.all_stored()
            await self._lists.ensure(snapshot)
            return self._history.export_subscribers(command.run_id, command.filter, wave, layout)

        return await self._begin(command, context, pages)

    def _layout(self, command: BeginCallExport | BeginSubscriberExport) -> Layout:
        zone = command.time_zone if command.time_zone is not None else self._time_zone
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise InvalidError(f"timeZone should be an IANA time zone name, not {zone!r}") from error
        if command.dialect is not ExportDialect.STANDARD and command.format is not ExportFormat.CSV:
            raise InvalidError(f"dialect={command.dialect} goes with format=csv only")
        return Layout(command.format, command.dialect, zone)

    async def _begin(
        self,
        command: BeginCallExport | BeginSubscriberExport,
        context: RequestContext,
        make_pages: Callable[[], Awaitable[ExportPages]],
    ) -> Export:
        await self.drop_idle(context.now)
        user_id = command.actor.user_id
        export_id = uuid5(_NAMESPACE, f"{user_id}:{context.command_id}")
        if export_id not in self._open:
            await self._forget_ended()
            if sum(not export.ended for export in self._open.values()) >= _MOST_OPEN:
                raise UnavailableError(f"{_MOST_OPEN} exports are open already; try again later")
            async with self._barrier.consistent():
                openings = self._barrier.openings
                pages = await make_pages()
            opened = _OpenExport(user_id, pages, openings, touched=context.now)
            if self._open.setdefault(export_id, opened) is not opened:
                await pages.close()
        return Export(id=export_id)

    async def take(self, command: TakeExportPiece, context: RequestContext) -> ExportPiece:
        export = self._find(command.id, command.actor)
        export.touched = context.now
        async with export.turn:
            if self._open.get(command.id) is not export:
                raise _unknown(command.id)  # it was closed while this request waited
            if command.place == export.place and export.given is not None:
                return export.given
            if command.place != export.place + 1 or export.ended:
                raise InvalidError(f"place should be that of the next piece, not {command.place}")
            try:
                await self._fill(export)
            except _ExchangedError as error:
                self._open.pop(command.id, None)
                await export.pages.close()
                raise UnavailableError(
                    "the tables were opened again during the export; begin the export again"
                ) from error
            data = bytes(export.ready[:_PIECE])
            del export.ready[:_PIECE]
            last = export.complete and not export.ready
            export.place, export.given = command.place, ExportPiece.model_construct(data=data, last=last)
            return export.given

    async def end(self, command: EndCallExport, _context: RequestContext) -> None:
        export = self._open.get(command.id)
        if export is not None and export.user_id == command.actor.user_id:
            await self._drop(command.id)

    async def close(self) -> None:
        """Drop all exports."""
        for export_id in list(self._open):
            await self._drop(export_id)

    async def drop_idle(self, now: datetime) -> None:
        """Drop the exports that were idle for a minute."""
        for export_id, export in list(self._open.items()):
            if now - export.touched > _IDLE and not export.turn.locked():
                await self._drop(export_id)
                log.info("idle export dropped", export_id=str(export_id))

    async def _fill(self, export: _OpenExport) -> None:
        """Read until more than one piece is ready, or the export is complete: so the last piece is known.

        The number of reads is bounded. If matching calls are rare, the piece is a short one.
        """
        for _ in range(_MOST_READS):
            if export.complete or len(export.ready) > _PIECE:
                return
            try:
                part = await export.pages.read()
            except ReadModelAwayError as error:
                raise away() from error
            except UnknownTimeZoneError as error:
                raise InvalidError(
                    f"timeZone should be an IANA time zone name, not {str(error)!r}"
                ) from error
            if self._barrier.openings != export.openings:
                # The rest would come from other tables, which may not be filled yet.
                raise _ExchangedError
            export.complete = part is None
            export.ready += part or b""

    async def _forget_ended(self) -> None:
        ended = [export_id for export_id, export in self._open.items() if export.ended]
        for export_id in ended[:-_MOST_ENDED]:
            await self._drop(export_id)

    async def _drop(self, export_id: UUID) -> None:
        export = self._open.pop(export_id, None)
        if export is not None:
            async with export.turn:
                await export.pages.close()

    def _find(self, export_id: UUID, actor: Actor) -> _OpenExport:
        export = self._open.get(export_id)
        if export is None or export.user_id != actor.user_id:
            raise _unknown(export_id)
        return export


def _unknown(export_id: UUID) -> NotFoundError:
    return NotFoundError(f"there is no export {export_id}", resource_id=str(export_id))
