"""The history of calls in ClickHouse: one call, pages, statistics, exports."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from clickhouse_connect.driver.client import Client

from cato_contracts.api.exports import SubscriberRecord
from cato_contracts.api.history import CallOutcome, CallRecord, FoundSubscriber, Grouping
from cato_contracts.api.status import SubscriberFilter
from cato_contracts.instants import from_unix_ms, unix_ms
from cato_reporting.adapters.clickhouse.call_filter import (
    START_MS,
    Conditions,
    beyond,
    conditions,
    cursor_values,
)
from cato_reporting.adapters.clickhouse.exports.calls import CallSource
from cato_reporting.adapters.clickhouse.exports.pages import ClickHousePages
from cato_reporting.adapters.clickhouse.exports.subscriber_page import read_page
from cato_reporting.adapters.clickhouse.exports.subscribers import SubscriberSource
from cato_reporting.adapters.clickhouse.found_subscribers import find_subscribers
from cato_reporting.adapters.clickhouse.retention import Retention
from cato_reporting.adapters.clickhouse.statistics import read_statistics
from cato_reporting.adapters.clickhouse.threads import ClickHouseThreads
from cato_reporting.ports import (
    CallPosition,
    CallSelection,
    ExportPages,
    FoundCalls,
    GroupedStatistics,
    Layout,
    RecordedCall,
    StoredEvent,
)
from cato_reporting.subscriber_pages import SubscriberSelection

_LOOKED_THROUGH = 200_000
"""After this many calls a page is returned as it is: it has taken a second or two."""

_FIRST_LOOK = 1_000
_LONGEST_LOOK = 20_000
"""The number of calls that one query examines."""

_COLUMNS = f"""
    call_id, run_id, task_id, task_name, subscriber_id, subscriber_name, wave, number, station_id, {START_MS},
    toUnixTimestamp64Milli(ringing_at), toUnixTimestamp64Milli(answered_at), toUnixTimestamp64Milli(ended_at),
    outcome, success, sip_code, reason, pdd_ms, talk_ms, heard_ms, digits, delayed,
    reason_header, sip_call_id, shared_with
"""

_KNOWN_RUNS = "(SELECT run_id, task_id, task_name, user_id FROM runs) AS known_runs"

_CALLS = f"""
SELECT {_COLUMNS}
FROM calls INNER JOIN {_KNOWN_RUNS} USING run_id
WHERE (run_id, subscriber_no, call_id) IN ({{keys}}){{conditions}}
ORDER BY started_at DESC, call_id DESC
LIMIT {{{{limit:UInt32}}}}
"""  # noqa: S608 - our own words, here and below

_KEYS = """
SELECT toUnixTimestamp64Milli(started_at), call_id, run_id, subscriber_no FROM call_start_rows
WHERE {conditions}
ORDER BY started_at DESC, call_id DESC LIMIT {{look:UInt32}}
"""

_LOOK = """
SELECT count(), toUnixTimestamp64Milli(min((started_at, call_id)).1), min((started_at, call_id)).2
FROM
(
    SELECT started_at, call_id FROM call_start_rows WHERE {conditions}
    ORDER BY started_at DESC, call_id DESC LIMIT {{look:UInt32}}
)
"""

_CALL = f"""
SELECT {_COLUMNS}, user_id, subscriber_no
FROM calls INNER JOIN {_KNOWN_RUNS} USING run_id
WHERE (run_id, subscriber_no, call_id) IN
    (SELECT run_id, subscriber_no, call_id FROM call_start_rows
    WHERE call_id = {{{{call:UUID}}}} AND {{kept}})
"""  # noqa: S608

_EVENTS = """
SELECT call_id, toUnixTimestamp64Milli(time), name, status, data
FROM call_event_rows FINAL
PREWHERE run_id = {run:UUID} AND subscriber_no = {no:UInt32} AND call_id = {call:UUID}
ORDER BY seq
"""


class ClickHouseHistory:
    """Runs queries in threads of its own, so that long statistics do not delay status documents."""

    def __init__(
        self,
        dsn: str,
        *,
        query_threads: int = 3,
        max_threads: int = 2,
        query_timeout_s: float = 20.0,
        retention: Retention | None = None,
    ) -> None:
        self._kept = (retention or Retention()).kept
        self._threads = ClickHouseThreads(
            dsn, threads=query_threads, max_threads=max_threads, timeout_s=query_timeout_s, name="history"
        )

    async def calls(self, selection: CallSelection, *, before: CallPosition | None, limit: int) -> FoundCalls:
        meant = conditions(selection, kept=self._kept)
        return await self._threads.run(lambda client: _page(client, meant, before, limit))

    async def call(self, call_id: UUID) -> RecordedCall | None:
        def read(client: Client) -> RecordedCall | None:
            rows = client.query(_CALL.format(kept=self._kept), {"call": call_id}).result_rows
            if not rows:
                return None
            *columns, user_id, no = rows[0]
            record = _record(columns)
            key = {"run": record.task_exec_id, "no": no, "call": call_id}
            events = [StoredEvent(*row) for row in client.query(_EVENTS, key).result_rows]
            return RecordedCall(user_id, record, events)

        return await self._threads.run(read)

    async def subscribers(self, selection: CallSelection, *, limit: int) -> list[FoundSubscriber]:
        return await self._threads.run(
            lambda client: find_subscribers(client, selection, kept=self._kept, limit=limit)
        )

    async def statistics(
        self, selection: CallSelection, group_by: Grouping, *, time_zone: str, limit: int
    ) -> GroupedStatistics:
        meant = conditions(selection, kept=self._kept)
        return await self._threads.run(
            lambda client: read_statistics(client, meant, group_by, time_zone=time_zone, limit=limit)
        )

    async def subscriber_page(
        self, selection: SubscriberSelection, *, after: int, limit: int
    ) -> Sequence[tuple[int, SubscriberRecord]]:
        return await self._threads.run(lambda client: read_page(client, selection, after=after, limit=limit))

    def export_calls(self, selection: CallSelection, layout: Layout) -> ExportPages:
        source = CallSource(conditions(selection, kept=self._kept))
        return ClickHousePages(self._threads, source, layout)

    def export_subscribers(
        self, run_id: UUID, which: SubscriberFilter, wave: int, layout: Layout
    ) -> ExportPages:
        return ClickHousePages(self._threads, SubscriberSource(run_id, which, wave), layout)

    async def close(self) -> None:
        await self._threads.close()


class _Stretch(NamedTuple):
    """Calls that follow each other in time: their number, the cursor of the last one, and their SQL."""

    found: int
    end: CallPosition
    keys: str
    conditions: Sequence[str]


def _page(client: Client, meant: Conditions, before: CallPosition | None, limit: int) -> FoundCalls:
    """Search the calls in the order of time, one stretch per query.

    Without conditions on merged rows, the first stretch fills a page. Otherwise the stretches grow. A search
    for rare calls stops before the end of the history; the answer then has the position to continue from.
    """
    look = min(limit + 1, _LONGEST_LOOK) if not meant.merged else max(limit + 1, _FIRST_LOOK)
    records: list[CallRecord] = []
    looked_through = 0
    while True:
        values = meant.values | {"look": look, "limit": limit + 1 - len(records)}
        here: tuple[str, ...] = ()
        if before is not None:
            here = (beyond("before", "<"),)
            values |= cursor_values("before", before)
        stretch = (_wide_stretch if meant.merged else _short_stretch)(client, meant, here, values)
        if stretch is None:
            return FoundCalls(records, None)
        sql = _CALLS.format(
            keys=stretch.keys, conditions="".join(f" AND {each}" for each in stretch.conditions)
        )
        values |= cursor_values("end", stretch.end)
        records += [_record(row) for row in client.query(sql, values).result_rows]
        if len(records) > limit:
            return FoundCalls(records[:limit], _cursor_of(records[limit - 1]))
        if stretch.found < look:
            return FoundCalls(records, None)
        before = stretch.end
        looked_through += stretch.found
        if looked_through >= _LOOKED_THROUGH:
            return FoundCalls(records, before)
        if meant.merged:
            look = min(4 * look, _LONGEST_LOOK)


def _short_stretch(
    client: Client, meant: Conditions, here: Sequence[str], values: dict[str, Any]
) -> _Stretch | None:
    """Return the keys of a page's calls as SQL values: a subquery takes 20 ms more for any page size."""
    sql = _KEYS.format(conditions=" AND ".join((*meant.starts, *here)))
    rows = client.query(sql, values).result_rows
    if not rows:
        return None
    keys = ",".join(f"('{run_id}',{no},'{call_id}')" for _, call_id, run_id, no in rows)
    return _Stretch(len(rows), (rows[-1][0], rows[-1][1]), keys, ())


def _wide_stretch(
    client: Client, meant: Conditions, here: Sequence[str], values: dict[str, Any]
) -> _Stretch | None:
    sql = _LOOK.format(conditions=" AND ".join((*meant.starts, *here)))
    found, at, call_id = client.query(sql, values).result_rows[0]
    if not found:
        return None
    here = (*here, beyond("end", ">="))
    return _Stretch(found, (at, call_id), meant.keys_with(*here), (*meant.merged, *here))


def _record(row: Sequence[Any]) -> CallRecord:
    # The columns are selected in the order of the fields. Stored values were validated before the insert.
    fields: dict[str, Any] = dict(zip(CallRecord.model_fields, row, strict=True))
    for name in ("started_at", "ringing_at", "answered_at", "ended_at"):
        if fields[name] is not None:
            fields[name] = from_unix_ms(fields[name])
    fields["outcome"] = CallOutcome(fields["outcome"])
    fields["subscriber_name"] = fields["subscriber_name"] or None
    fields["reason"] = fields["reason"] or None
    fields["reason_header"] = fields["reason_header"] or None
    fields["sip_call_id"] = fields["sip_call_id"] or None
    return CallRecord.model_construct(**fields)


def _cursor_of(record: CallRecord) -> CallPosition:
    return unix_ms(record.started_at), record.id
