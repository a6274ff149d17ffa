"""The read model in ClickHouse: a server over HTTP or the embedded engine, with the same SQL."""

import asyncio
import struct
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from clickhouse_connect.driver.client import Client

from cato_contracts.api.rules.invalid_numbers import InvalidNumber
from cato_contracts.api.status import SubscriberFilter
from cato_contracts.instants import from_unix_ms, unix_ms
from cato_contracts.messages.runs import RunApproved, RunEnding, RunRejected, RunSnapshot, RunSubscriber
from cato_contracts.subjects import RUNS
from cato_reporting.adapters.clickhouse.detail import (
    range_of,
    read_next_attempts,
    read_notified,
    stretch_of,
)
from cato_reporting.adapters.clickhouse.found_subscribers import find_invalid_numbers
from cato_reporting.adapters.clickhouse.retention import Retention, apply_retention
from cato_reporting.adapters.clickhouse.rows import LISTS, POSITIONS, insert_messages, list_row
from cato_reporting.adapters.clickhouse.schema import migrate
from cato_reporting.adapters.clickhouse.statistics import read_numbers
from cato_reporting.adapters.clickhouse.threads import ClickHouseThreads
from cato_reporting.adapters.clickhouse.written_detail import read_written_calls, read_written_subscribers
from cato_reporting.domain.approval import ApprovalDecision
from cato_reporting.domain.live_run import ANSWERED, DELAYED, ENDED, STARTED, SUCCEEDED, End, LiveRun
from cato_reporting.domain.report import Numbers
from cato_reporting.domain.written_detail import NumberPosition, WrittenCalls, WrittenDetail
from cato_reporting.errors import ReadModelAwayError, RowsRefusedError
from cato_reporting.ports import StoredMessage, StoredRun

_LEDGERS = ("log_positions", "schema_versions", "retention_rules")
_VIEWS = (
    *(
        "call_rows_from_events",
        "call_rows_from_results",
        "call_start_rows_from_events",
        "run_rows_from_events",
    ),
    *("calls", "call_events", "subscriber_results", "run_subscribers", "runs", "digits"),
)
_TABLES = (
    "call_event_rows",
    "result_rows",
    "run_event_rows",
    "list_rows",
    "call_rows",
    "call_start_rows",
    "run_rows",
)
_RUN_COLUMNS = "toUnixTimestamp64Milli(started_at), toUnixTimestamp64Milli(ended_at), ending, snapshot"


class ClickHouseReadModel:
    """Runs inserts in one thread, which keeps their order, and queries in a few others.

    `max_threads` limits the threads of one query, as the engine shares the machine with the consumer.
    """

    def __init__(
        self,
        dsn: str,
        *,
        query_threads: int = 4,
        max_threads: int = 2,
        insert_timeout_s: float = 30.0,
        query_timeout_s: float = 20.0,
        cluster: str | None = None,
        retention: Retention | None = None,
    ) -> None:
        self._cluster = cluster
        self._retention = retention or Retention()
        self._writer = ClickHouseThreads(
            dsn, threads=1, max_threads=max_threads, timeout_s=insert_timeout_s, name="insert"
        )
        self._readers = ClickHouseThreads(
            dsn, threads=query_threads, max_threads=max_threads, timeout_s=query_timeout_s, name="query"
        )

    async def open(self) -> int:
        def prepare(client: Client) -> int:
            migrate(client, cluster=self._cluster)
            apply_retention(client, self._retention, cluster=self._cluster)
            sql = "SELECT max(position) FROM log_positions WHERE log = {log:String}"
            return int(client.query(sql, {"log": RUNS.name}).result_rows[0][0])

        return await self._writer.run(prepare)

    async def empty(self) -> None:
        """Drop all tables; the service fills them again from the log.

        The positions are dropped first and last: a service that fills the tables at the same time finds its
        position gone and starts again.
        """

        def drop(client: Client) -> None:
            cluster = f" ON CLUSTER `{self._cluster}`" if self._cluster else ""
            for name in (*_LEDGERS, *_VIEWS, *_TABLES, *_LEDGERS):
                client.command(f"DROP TABLE IF EXISTS {name}{cluster}")

        await self._writer.run(drop)

    async def store(self, stored_messages: Sequence[StoredMessage], *, position: int) -> None:
        def insert(client: Client) -> None:
            try:
                insert_messages(client, stored_messages)
            except (ValueError, TypeError, OverflowError, struct.error) as error:
                # The errors of the client for values that it cannot encode.
                raise RowsRefusedError(repr(error)) from error
            # The position is written last, so that it is correct even if the process dies in between.
            POSITIONS.insert(client, [(RUNS.name, position)])

        await self._writer.run(insert)

    async def restore(self, run: LiveRun) -> None:
        if not self._retention.keeps(run.run_id, datetime.now(UTC)):
            # The first calls of a very old active run may have expired in the tables: read them from the log.
            raise ReadModelAwayError(f"calls of run {run.run_id} are not kept any more")

        def read(client: Client) -> tuple[Sequence[Any], Sequence[Any]]:
            run_id = {"run": run.run_id}
            calls = client.query(
                "SELECT call_id, wave, isNotNull(first_event_at), isNotNull(answered_at),"
                " isNotNull(ended_at), success, delayed FROM call_rows FINAL WHERE run_id = {run:UUID}",
                run_id,
            )
            results = client.query(
                "SELECT subscriber_no, max(wave), toUnixTimestamp64Milli(minOrNullIf(time, notified)),"
                " argMax(toString(reason), wave)"
                " FROM result_rows FINAL"
                " WHERE run_id = {run:UUID} GROUP BY subscriber_no",
                run_id,
            )
            return calls.result_rows, results.result_rows

        calls, results = await self._readers.run(read)
        for call_id, wave, started, answered, ended, success, delayed in calls:
            marks = (
                (STARTED if started else 0)
                | (ANSWERED if answered else 0)
                | (ENDED if ended else 0)
                | (SUCCEEDED if success else 0)
                | (DELAYED if delayed else 0)
            )
            run.note_call(call_id, marks, wave)
        for no, wave, reached_ms, reason in results:
            reached_at = None if reached_ms is None else from_unix_ms(reached_ms)
            run.note_outcome(no, wave, reached_at=reached_at, reason=reason)

    async def runs(self, run_ids: Sequence[UUID]) -> dict[UUID, StoredRun]:
        sql = (
            f"SELECT {_RUN_COLUMNS} FROM runs"  # noqa: S608 - our own words
            f" WHERE run_id IN {{runs:Array(UUID)}} AND {self._retention.kept}"
        )
        rows = await self._rows(sql, {"runs": list(run_ids)})
        stored = await self._with_decisions([_stored_run(*row) for row in rows])
        return {run.snapshot.run_id: run for run in stored}

    async def latest_runs(
        self,
        *,
        user_id: str | None,
        task_id: UUID | None,
        ended_since: datetime | None,
        before: tuple[int, str] | None,
        limit: int,
    ) -> list[StoredRun]:
        conditions = [self._retention.kept]
        values: dict[str, Any] = {"limit": limit}
        if user_id is not None:
            conditions.append("user_id = {user:String}")
            values["user"] = user_id
        if task_id is not None:
            conditions.append("task_id = {task:UUID}")
            values["task"] = task_id
        if ended_since is not None:
            conditions.append("ended_at >= fromUnixTimestamp64Milli({ended_since:Int64}, 'UTC')")
            values["ended_since"] = unix_ms(ended_since)
        if before is not None:
            conditions.append(
                "(toUnixTimestamp64Milli(started_at), toString(run_id))"
                " < ({before:Int64}, {before_id:String})"
            )
            values |= {"before": before[0], "before_id": before[1]}
        sql = (
            f"SELECT {_RUN_COLUMNS} FROM runs WHERE {' AND '.join(conditions)}"  # noqa: S608 - our own words
            " ORDER BY started_at DESC, toString(run_id) DESC LIMIT {limit:UInt32}"
        )
        return await self._with_decisions([_stored_run(*row) for row in await self._rows(sql, values)])

    async def _with_decisions(self, runs: list[StoredRun]) -> list[StoredRun]:
        """Add the decisions about the runs that needed an approval; the others cost no query."""
        needing = [run.snapshot.run_id for run in runs if run.snapshot.approval is not None]
        if not needing:
            return runs
        rows = await self._rows(_DECISIONS, {"runs": needing})
        decisions = {run_id: _decision(*row) for run_id, *row in rows}
        return [replace(run, decision=decisions.get(run.snapshot.run_id)) for run in runs]

    async def numbers(self, run_ids: Sequence[UUID]) -> dict[UUID, Numbers]:
        return await self._readers.run(lambda client: read_numbers(client, run_ids))

    async def written_detail(
        self, run_id: UUID, *, which: SubscriberFilter, wave: int, after: int, limit: int, events: bool
    ) -> WrittenDetail:
        listing = self._readers.run(
            lambda client: read_written_subscribers(
                client, run_id, which=which, wave=wave, after=after, limit=limit
            )
        )
        if which is SubscriberFilter.ALL:
            # The calls of a range of the list can be read without knowing its subscribers.
            subscribers, (notified, calls) = await asyncio.gather(
                listing, self._written_calls(stretch_of(run_id, after, limit), events=events)
            )
        else:
            subscribers = await listing
            if not subscribers:
                return WrittenDetail([], set(), [])
            these = range_of(run_id, [subscriber.no for subscriber in subscribers])
            notified, calls = await self._written_calls(these, events=events)
        return WrittenDetail(subscribers, notified, calls)

    async def _written_calls(
        self, these: dict[str, Any], *, events: bool
    ) -> tuple[set[int], list[WrittenCalls]]:
        return await asyncio.gather(
            self._readers.run(lambda client: read_notified(client, these)),
            self._readers.run(lambda client: read_written_calls(client, these, events=events)),
        )

    async def next_attempts(self, run_id: UUID, nos: Sequence[int]) -> dict[int, int]:
        these = range_of(run_id, list(nos))
        return await self._readers.run(lambda client: read_next_attempts(client, these))

    async def invalid_numbers(
        self, run_id: UUID, *, after: NumberPosition | None, limit: int
    ) -> list[tuple[NumberPosition, InvalidNumber]]:
        return await self._readers.run(
            lambda client: find_invalid_numbers(client, run_id, after=after, limit=limit)
        )

    async def listed(self, run_id: UUID) -> int:
        sql = "SELECT count() FROM list_rows FINAL WHERE run_id = {run:UUID}"
        rows = await self._rows(sql, {"run": run_id})
        return int(rows[0][0])

    async def store_list(self, run_id: UUID, subscribers: Sequence[RunSubscriber]) -> None:
        rows = [list_row(run_id, subscriber) for subscriber in subscribers]
        await self._readers.run(lambda client: LISTS.insert(client, rows))

    async def unlisted(self) -> list[RunSnapshot]:
        rows = await self._rows(f"{_UNLISTED} AND {self._retention.kept}", {})
        return [RunSnapshot.model_validate_json(snapshot) for (snapshot,) in rows]

    async def release_memory(self) -> None:
        await self._readers.release_memory()

    async def close(self) -> None:
        await self._writer.close()
        await self._readers.close()

    async def _rows(self, sql: str, values: dict[str, Any]) -> Sequence[Sequence[Any]]:
        result: Sequence[Sequence[Any]] = await self._readers.run(
            lambda client: client.query(sql, values).result_rows
        )
        return result


_UNLISTED = """
SELECT snapshot
FROM runs
LEFT JOIN (SELECT run_id, count() AS listed FROM list_rows FINAL GROUP BY run_id) AS lists USING run_id
WHERE listed < subscriber_count
"""


_DECISIONS = """
SELECT run_id, type, body, toUnixTimestamp64Milli(time)
FROM run_event_rows FINAL
WHERE run_id IN {runs:Array(UUID)} AND type IN ('RunApproved', 'RunRejected')
"""


def _decision(kind: str, body: str, at: int) -> ApprovalDecision:
    event = (RunApproved if kind == RunApproved.__name__ else RunRejected).model_validate_json(body)
    return ApprovalDecision.of(event, from_unix_ms(at))


def _stored_run(started_at: int, ended_at: int | None, ending: str, snapshot: str) -> StoredRun:
    end = End(from_unix_ms(ended_at), RunEnding(ending)) if ended_at is not None else None
    return StoredRun(RunSnapshot.model_validate_json(snapshot), from_unix_ms(started_at), end)
