"""The history of calls in memory, for tests: enough of its rules to give every answer."""

import asyncio
import csv
import io
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from cato_contracts.api import exports, history, sql
from cato_contracts.api.resources import Page
from cato_contracts.api.rules import invalid_numbers
from cato_contracts.api.status import CallEventView, SubscriberFilter, TaskExec
from cato_contracts.errors import InvalidError, NotFoundError
from cato_contracts.instants import unix_ms
from cato_contracts.model import Resource
from cato_contracts.requests import Actor
from cato_runtime.requests import RequestContext, RequestTable
from tests.support.gateway.resources import own, part_of

_COLUMNS = [field.alias or name for name, field in history.CallRecord.model_fields.items()]


class MemoryHistory:
    """Calls, and exports of them in pieces of `piece_size` bytes."""

    def __init__(self, runs: dict[UUID, TaskExec]) -> None:
        self.runs = runs
        self.calls: list[history.CallDetail] = []
        self.subscribers: list[history.FoundSubscriber] = []
        """The answer to a search by number or name."""
        self.invalid_numbers: list[invalid_numbers.InvalidNumber] = []
        self.run_subscribers: list[exports.SubscriberRecord] = []
        self.exports: dict[UUID, list[bytes]] = {}
        self.let_go = asyncio.Event()
        self.piece_size = 512
        self.taken: list[int] = []
        self.broken_at: int | None = None
        """The place of the piece over which an export is lost."""

    def serve(self, table: RequestTable) -> None:
        table.add(history.ListCalls, self._list)
        table.add(history.GetCall, self._get)
        table.add(history.GetStatistics, self._statistics)
        table.add(exports.BeginCallExport, self._begin)
        table.add(exports.BeginSubscriberExport, self._begin_subscribers)
        table.add(exports.ListRunSubscribers, self._list_subscribers)
        table.add(exports.TakeExportPiece, self._take)
        table.add(exports.EndCallExport, self._end)
        table.add(sql.RunSql, self._run_sql)
        table.add(invalid_numbers.ListInvalidNumbers, self._list_invalid)

    def add_call(self, run: TaskExec, at: datetime, **changes: Any) -> history.CallDetail:
        """Remember a call that began at a time and was answered after two seconds, for five."""
        events = [CallEventView(time=unix_ms(at), name="CallEnded", status="FINISHED")]
        answered = at + timedelta(seconds=2)
        call = history.CallDetail(
            id=uuid4(),
            task_exec_id=run.id,
            task_id=run.task_id,
            task_name=run.report.name,
            subscriber_id=uuid4(),
            subscriber_name='Olga; "O", Попова',
            wave=1,
            number="776413",
            station_id=uuid4(),
            started_at=at,
            ringing_at=at + timedelta(seconds=1),
            answered_at=answered,
            ended_at=answered + timedelta(seconds=5),
            outcome=history.CallOutcome.SUCCEEDED,
            success=True,
            sip_code=200,
            reason="heard-to-the-end",
            pdd_ms=1000,
            talk_ms=5000,
            heard_ms=4980,
            digits="1",
            delayed=False,
            events=events,
        ).model_copy(update=changes)
        self.calls.append(call)
        return call

    def _found(self, where: history.CallFilter, actor: Actor) -> list[history.CallRecord]:
        fields = set(history.CallRecord.model_fields)
        return [
            history.CallRecord.model_validate(call.model_dump(include=fields))
            for call in sorted(self.calls, key=lambda call: call.started_at)
            if actor.may_see(self.runs[call.task_exec_id].user_id) and _meets(call, where)
        ]

    async def _list(self, request: history.ListCalls, _: RequestContext) -> history.CallPage:
        newest_first = self._found(request.where, request.actor)[::-1]
        page: Page[history.CallRecord] = part_of(newest_first, request.limit, request.cursor)
        subscribers = self.subscribers if request.subscribers else None
        return history.CallPage(items=page.items, next_cursor=page.next_cursor, subscribers=subscribers)

    async def _get(self, request: history.GetCall, _: RequestContext) -> history.CallDetail:
        for call in self.calls:
            if call.id == request.id:
                own(self.runs, call.task_exec_id, request.actor)
                return call
        raise NotFoundError("there is no such call", resource_id=str(request.id))

    async def _statistics(self, request: history.GetStatistics, _: RequestContext) -> history.Statistics:
        key, found = _KEYS[request.group_by], self._found(request.where, request.actor)
        keys = dict.fromkeys(key(call) for call in found)
        groups = [_figures(each, [call for call in found if key(call) == each]) for each in keys]
        return history.Statistics(group_by=request.group_by, groups=groups, total=_figures(None, found))

    async def _begin(self, request: exports.BeginCallExport, _: RequestContext) -> exports.Export:
        found = self._found(request.where, request.actor)
        return self._opened(_csv(found) if request.format is exports.ExportFormat.CSV else _lines(found))

    async def _begin_subscribers(
        self, request: exports.BeginSubscriberExport, _: RequestContext
    ) -> exports.Export:
        own(self.runs, request.run_id, request.actor)
        return self._opened(_lines(self.run_subscribers))

    def _opened(self, content: bytes) -> exports.Export:
        export = exports.Export(id=uuid4())
        starts = range(0, max(len(content), 1), self.piece_size)
        self.exports[export.id] = [content[at : at + self.piece_size] for at in starts]
        return export

    async def _list_subscribers(
        self, request: exports.ListRunSubscribers, _: RequestContext
    ) -> Page[exports.SubscriberRecord]:
        own(self.runs, request.run_id, request.actor)
        found = [
            each
            for each in self.run_subscribers
            if (request.filter is SubscriberFilter.ALL or not each.notified)
            and (request.name is None or request.name.lower() in each.full_name.lower())
            and (request.number is None or request.number in each.phones)
            and request.reason in {None, each.reason}
        ]
        return part_of(found, request.limit, request.cursor)

    async def _list_invalid(
        self, request: invalid_numbers.ListInvalidNumbers, _: RequestContext
    ) -> Page[invalid_numbers.InvalidNumber]:
        own(self.runs, request.run_id, request.actor)
        page: Page[invalid_numbers.InvalidNumber] = part_of(
            self.invalid_numbers, request.limit, request.cursor
        )
        return page

    async def _take(self, request: exports.TakeExportPiece, _: RequestContext) -> exports.ExportPiece:
        if self.broken_at == request.place:
            self.exports.clear()
        if request.id not in self.exports:
            raise NotFoundError("there is no such export", resource_id=str(request.id))
        pieces = self.exports[request.id]
        if request.place >= len(pieces):
            raise InvalidError("there is no such piece")
        self.taken.append(request.place)
        last = request.place == len(pieces) - 1
        return exports.ExportPiece.model_construct(data=pieces[request.place], last=last)

    async def _run_sql(self, request: sql.RunSql, _: RequestContext) -> sql.SqlResult:
        if not request.statement.upper().startswith("SELECT"):
            raise InvalidError("a statement should begin with SELECT or WITH")
        if request.format is sql.SqlFormat.CSV:
            return sql.SqlResult.of(b"a\r\n1\r\n")
        return sql.SqlResult.of(b'{"columns":[{"name":"a","type":"UInt8"}],"rows":[[1]]}')

    async def _end(self, request: exports.EndCallExport, _: RequestContext) -> None:
        self.exports.pop(request.id, None)
        self.let_go.set()


def _meets(call: history.CallRecord, where: history.CallFilter) -> bool:
    return (
        (where.since is None or where.since <= call.started_at)
        and (where.until is None or call.started_at < where.until)
        and where.number in {None, call.number}
        and where.run_id in {None, call.task_exec_id}
        and where.station_id in {None, call.station_id}
        and where.outcome in {None, call.outcome}
        and (where.name is None or where.name.casefold() in (call.subscriber_name or "").casefold())
    )


_KEYS: dict[history.Grouping, Callable[[history.CallRecord], str | None]] = {
    history.Grouping.HOUR: lambda call: call.started_at.strftime("%Y-%m-%dT%H:00:00Z"),
    history.Grouping.DAY: lambda call: call.started_at.strftime("%Y-%m-%d"),
    history.Grouping.MINUTE: lambda call: call.started_at.strftime("%Y-%m-%dT%H:%M:00Z"),
    history.Grouping.HOUR_OF_DAY: lambda call: str(call.started_at.hour),
    history.Grouping.WEEKDAY: lambda call: call.started_at.strftime("%a").upper(),
    history.Grouping.WAVE: lambda call: str(call.wave),
    history.Grouping.ATTEMPT: lambda call: str(call.wave),
    history.Grouping.REASON: lambda call: call.reason,
    history.Grouping.PREFIX: lambda call: call.number.removeprefix("+")[:4],
    history.Grouping.TASK: lambda call: str(call.task_id),
    history.Grouping.STATION: lambda call: str(call.station_id),
    history.Grouping.OUTCOME: lambda call: str(call.outcome),
    history.Grouping.SIP_CODE: lambda call: None if call.sip_code is None else str(call.sip_code),
}


def _figures(key: str | None, calls: list[history.CallRecord]) -> history.CallStatistics:
    succeeded = sum(call.success for call in calls)
    return history.CallStatistics(
        key=key,
        attempts=len(calls),
        in_progress=0,
        answered=sum(call.answered_at is not None for call in calls),
        succeeded=succeeded,
        failed=len(calls) - succeeded,
        delayed=0,
        asr=succeeded / len(calls) if calls else None,
        ner=None,
        acd_ms=None,
        pdd_ms=None,
        pdd_p95_ms=None,
    )


def _rows(calls: Iterable[history.CallRecord]) -> Iterable[dict[str, Any]]:
    return (call.model_dump(mode="json", by_alias=True) for call in calls)


def _csv(calls: Iterable[history.CallRecord]) -> bytes:
    file = io.StringIO()
    writer = csv.DictWriter(file, _COLUMNS)
    writer.writeheader()
    writer.writerows(_rows(calls))
    return file.getvalue().encode()


def _lines(calls: Iterable[Resource]) -> bytes:
    return "".join(f"{call.model_dump_json(by_alias=True)}\n" for call in calls).encode()
