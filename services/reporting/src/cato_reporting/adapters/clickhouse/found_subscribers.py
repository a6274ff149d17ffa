"""Subscribers of all runs by number or name: also those whom no call names.

The lists are in the order of runs. Without a run in the selection the lists of all visible runs are searched,
one column of them.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from clickhouse_connect.driver.client import Client

from cato_contracts.api.history import FoundSubscriber
from cato_contracts.api.rules.invalid_numbers import InvalidNumber
from cato_contracts.api.rules.retries import OutcomeGroup, reasons_of
from cato_contracts.instants import from_unix_ms, unix_ms
from cato_reporting.adapters.clickhouse.call_filter import LATEST_MS, named
from cato_reporting.domain.written_detail import NumberPosition
from cato_reporting.ports import CallSelection

# Equal rows are the only duplicates in list_rows, so FINAL is not needed.
_FOUND = """
SELECT
    run_id, subscriber_no, task_id, task_name, subscriber_id, full_name, phones,
    ifNull(household_no, subscriber_no), household, shared_with
FROM list_rows
INNER JOIN (SELECT run_id, task_id, task_name, started_at FROM runs WHERE {runs}) AS known_runs USING run_id
WHERE {conditions}
ORDER BY started_at DESC, run_id, subscriber_no
LIMIT 1 BY run_id, subscriber_no
LIMIT {{limit:UInt32}}
"""

_RESULTS = """
SELECT run_id, subscriber_no, max(notified), argMax(toString(reason), (notified, wave))
FROM result_rows FINAL
WHERE (run_id, subscriber_no) IN ({keys})
GROUP BY run_id, subscriber_no
"""

_CALLS = """
SELECT run_id, subscriber_no, count()
FROM call_rows FINAL
WHERE (run_id, subscriber_no) IN ({keys}) AND isNotNull(first_event_at)
GROUP BY run_id, subscriber_no
"""

_INVALID = """
SELECT subscriber_no, phone_index, number, subscriber_id, full_name, last.1, last.2, started
FROM
(
    SELECT
        subscriber_no, phone_index, any(number) AS number,
        argMax((reason, sip_code), first_event_at) AS last,
        toUnixTimestamp64Milli(assumeNotNull(max(first_event_at))) AS started
    FROM call_rows FINAL
    WHERE run_id = {run:UUID} AND isNotNull(first_event_at) AND isNotNull(ended_at)
    GROUP BY subscriber_no, phone_index
) AS numbers
LEFT ANY JOIN
(
    SELECT subscriber_no, toNullable(subscriber_id) AS subscriber_id, full_name
    FROM list_rows FINAL WHERE run_id = {run:UUID}
) AS people USING subscriber_no
WHERE last.1 IN {reasons:Array(String)} AND (subscriber_no, phone_index) > ({no:Int64}, {phone:Int64})
ORDER BY subscriber_no, phone_index
LIMIT {limit:UInt32}
"""


def find_invalid_numbers(
    client: Client, run_id: UUID, *, after: NumberPosition | None, limit: int
) -> list[tuple[NumberPosition, InvalidNumber]]:
    no, phone = after or (-1, -1)
    reasons = reasons_of(frozenset({OutcomeGroup.INVALID_NUMBER}))
    values = {"run": run_id, "reasons": reasons, "no": no, "phone": phone, "limit": limit}
    return [
        (
            (row[0], row[1]),
            InvalidNumber.model_construct(
                number=row[2],
                subscriber_id=row[3],
                full_name=row[4],
                reason=row[5],
                sip_code=row[6],
                called_at=from_unix_ms(row[7]),
            ),
        )
        for row in client.query(_INVALID, values).result_rows
    ]


def find_subscribers(
    client: Client, selection: CallSelection, *, kept: str, limit: int
) -> list[FoundSubscriber]:
    where = selection.where
    runs, conditions = [kept], []
    values: dict[str, Any] = {"limit": limit}
    if selection.user_id is not None:
        runs.append("user_id = {user:String}")
        values["user"] = selection.user_id
    if where.run_id is not None:
        runs.append("run_id = {run:UUID}")
        conditions.append("run_id = {run:UUID}")
        values["run"] = where.run_id
    if where.since is not None:
        runs.append("(ended_at IS NULL OR ended_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC'))")
        values["since"] = min(max(unix_ms(where.since), 0), LATEST_MS)
    if where.until is not None:
        runs.append("started_at < fromUnixTimestamp64Milli({until:Int64}, 'UTC')")
        values["until"] = min(max(unix_ms(where.until), 0), LATEST_MS)
    if selection.numbers:
        conditions.append("hasAny(phones, {numbers:Array(String)})")
        values["numbers"] = list(selection.numbers)
    if where.name is not None:
        words, patterns = named("full_name", where.name)
        conditions += words
        values |= patterns
    sql = _FOUND.format(runs=" AND ".join(runs), conditions=" AND ".join(conditions))
    rows = client.query(sql, values).result_rows
    if not rows:
        return []
    keys = ",".join(f"('{run_id}',{no})" for row in rows for run_id, no in {row[:2], (row[0], row[7])})
    results = {(row[0], row[1]): row[2:] for row in client.query(_RESULTS.format(keys=keys)).result_rows}
    calls = {(row[0], row[1]): row[2] for row in client.query(_CALLS.format(keys=keys)).result_rows}
    return [_subscriber(row, results, calls) for row in rows]


def _subscriber(
    row: Sequence[Any], results: Mapping[Any, Sequence[Any]], calls: Mapping[Any, int]
) -> FoundSubscriber:
    run_id, no, task_id, task_name, subscriber_id, full_name, phones, called_no, household, shared = row
    notified, reason = results.get((run_id, no), (False, ""))
    # Not validated again: stored values were checked before the insert.
    return FoundSubscriber.model_construct(
        task_exec_id=run_id,
        task_id=task_id,
        task_name=task_name,
        subscriber_id=subscriber_id,
        subscriber_name=full_name,
        phones=phones,
        notified=bool(notified),
        calls=calls.get((run_id, called_no), 0),
        reason=reason or None,
        household=household,
        shared_with=list(shared),
    )
