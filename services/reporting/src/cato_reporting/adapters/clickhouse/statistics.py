"""The figures of calls, counted by ClickHouse over the merged rows."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from clickhouse_connect.driver.client import Client

from cato_contracts.api.history import CallStatistics, Grouping
from cato_contracts.api.reasons import COUNTED_APART
from cato_reporting.adapters.clickhouse.call_filter import Conditions
from cato_reporting.domain.effectiveness import SERVED, SERVED_IF_IT_RANG
from cato_reporting.domain.report import Numbers, seconds_to_reach
from cato_reporting.errors import UnknownTimeZoneError
from cato_reporting.ports import GroupedStatistics

_KEYS = {
    Grouping.MINUTE: "toString(toUnixTimestamp(toStartOfMinute(started_at)))",
    Grouping.HOUR: "toString(toUnixTimestamp(toStartOfHour(started_at, {zone:String})))",
    Grouping.DAY: "toString(toDate(started_at, {zone:String}))",
    Grouping.HOUR_OF_DAY: "toString(toHour(started_at, {zone:String}))",
    Grouping.WEEKDAY: "toString(toDayOfWeek(started_at, 0, {zone:String}))",
    Grouping.WAVE: "toString(wave)",
    Grouping.ATTEMPT: "toString(attempt)",
    Grouping.TASK: "toString(task_id)",
    Grouping.STATION: "toString(station_id)",
    Grouping.OUTCOME: "outcome",
    Grouping.SIP_CODE: "toString(sip_code)",
    Grouping.REASON: "nullIf(reason, '')",
    Grouping.PREFIX: "substring(number, if(startsWith(number, '+'), 2, 1), 4)",
}
_WEEKDAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
_INSTANTS = {Grouping.MINUTE, Grouping.HOUR}
_ORDERED = {*_INSTANTS, Grouping.HOUR_OF_DAY, Grouping.WEEKDAY, Grouping.WAVE, Grouping.ATTEMPT}
"""Groups that come in the order of their numbers."""

# One statement, so that the groups add up to the total even if rows are inserted meanwhile. The quantile is
# exact: the value at index 0.95 n of the n sorted values. It costs 8 bytes a call where a digest would cost
# a few kB a group, and gives the same answer every time.
_FIGURES = """
SELECT
    grouping(key) = 1 AS is_total,
    toNullable({key}) AS key,
    argMax(task_name, run_started_at),
    count(),
    countIf(isNull(ended_at)),
    countIf(isNotNull(answered_at)),
    countIf(outcome = 'succeeded'),
    countIf(outcome = 'failed'),
    countIf(delayed),
    avgOrNullIf(isNotNull(answered_at), isNotNull(ended_at)),
    avgOrNullIf(
        isNotNull(answered_at)
        OR reason IN {{served:Array(String)}}
        OR (isNotNull(ringing_at) AND reason IN {{served_if_it_rang:Array(String)}}),
        isNotNull(ended_at)
    ),
    avgOrNull(talk_ms),
    avgOrNullIf(pdd_ms, isNotNull(ended_at)),
    quantileExactOrNullIf(0.95)(pdd_ms, isNotNull(ended_at))
FROM {source} AS calls
INNER JOIN (SELECT run_id, task_id, task_name, started_at AS run_started_at FROM runs) AS known_runs
    USING run_id
WHERE {conditions}
GROUP BY GROUPING SETS ((key), ())
ORDER BY is_total DESC, count() DESC, key
LIMIT {{limit:UInt32}}
"""

# All calls of the runs are numbered, whatever the conditions on calls are.
_NUMBERED = """
(
    SELECT *, row_number() OVER (PARTITION BY run_id, subscriber_no ORDER BY started_at, call_id) AS attempt
    FROM calls WHERE {runs}
)
"""


def read_statistics(
    client: Client, meant: Conditions, group_by: Grouping, *, time_zone: str, limit: int
) -> GroupedStatistics:
    check_zone(client, time_zone)
    source = _NUMBERED.format(runs=_runs(meant)) if group_by is Grouping.ATTEMPT else "calls"
    sql = _FIGURES.format(
        key=_KEYS[group_by], source=source, conditions=" AND ".join((*_scope(meant), *meant.merged))
    )
    values = meant.values | {
        "zone": time_zone,
        "served": sorted(SERVED),
        "served_if_it_rang": sorted(SERVED_IF_IT_RANG),
        # The total is a row, too.
        "limit": limit + 1,
    }
    rows = client.query(sql, values).result_rows
    if not rows:
        return GroupedStatistics([], _figures(None, None, (0,) * 6 + (None,) * 5))
    (_, _, _, *total), *groups = rows
    if group_by in _ORDERED:
        groups.sort(key=lambda row: int(row[1]))
    elif group_by is Grouping.DAY:
        groups.sort(key=lambda row: str(row[1]))
    shown = [_group(group_by, time_zone, key, label, counts) for _, key, label, *counts in groups]
    return GroupedStatistics(shown, _figures(None, None, total))


def check_zone(client: Client, time_zone: str) -> None:
    """Check that ClickHouse knows a zone. Raises UnknownTimeZoneError."""
    known = client.query(
        "SELECT count() FROM system.time_zones WHERE time_zone = {zone:String}", {"zone": time_zone}
    )
    if not known.result_rows[0][0]:
        raise UnknownTimeZoneError(time_zone)


def _scope(meant: Conditions) -> list[str]:
    """Return the condition on calls: by their keys or, for millions of calls, by their runs and starts."""
    if "numbers" in meant.values:
        return [f"(run_id, subscriber_no, call_id) IN ({meant.keys})"]
    return [_runs(meant), *meant.starts[1:]]


def _runs(meant: Conditions) -> str:
    """Return the condition that a run has calls that are meant."""
    return f"run_id IN (SELECT DISTINCT run_id FROM call_start_rows WHERE {' AND '.join(meant.starts)})"  # noqa: S608


def _group(
    group_by: Grouping, time_zone: str, key: str | None, label: str, counts: Sequence[Any]
) -> CallStatistics:
    if group_by in _INSTANTS and key is not None:
        key = datetime.fromtimestamp(int(key), UTC).astimezone(ZoneInfo(time_zone)).isoformat()
    if group_by is Grouping.WEEKDAY and key is not None:
        key = _WEEKDAYS[int(key) - 1]
    return _figures(key, label if group_by is Grouping.TASK else None, counts)


def _figures(key: str | None, label: str | None, counts: Sequence[Any]) -> CallStatistics:
    names = list(CallStatistics.model_fields)[2:]
    return CallStatistics(key=key, label=label, **dict(zip(names, counts, strict=True)))


_Outcomes = tuple[int, int, int, Mapping[str, int]]
"""For the subscribers with the same latest wave: the wave, reached, not reached, decided by rules."""

_CALL_NUMBERS = """
SELECT
    run_id,
    max(wave),
    countIf(ended AND success),
    countIf(ended AND NOT success),
    countIf(begun AND NOT ended AND NOT answered),
    countIf(begun AND NOT ended AND answered),
    countIf(begun AND delayed)
FROM
(
    SELECT
        run_id, wave, success, delayed,
        isNotNull(first_event_at) AS begun, isNotNull(answered_at) AS answered, isNotNull(ended_at) AS ended
    FROM call_rows FINAL
    WHERE run_id IN {runs:Array(UUID)}
)
GROUP BY run_id
"""

_RULES = ", ".join(f"'{reason}'" for reason in COUNTED_APART)

_OUTCOME_NUMBERS = f"""
SELECT
    run_id, latest, countIf(reached), countIf(NOT reached),
    sumMapIf(map(last_reason, toUInt64(1)), NOT reached AND last_reason IN ({_RULES}))
FROM
(
    SELECT
        run_id, subscriber_no, max(wave) AS latest, max(notified) AS reached,
        argMax(toString(reason), wave) AS last_reason
    FROM result_rows FINAL
    INNER JOIN (SELECT run_id, subscriber_count FROM runs WHERE run_id IN {{runs:Array(UUID)}}) AS sizes
        USING run_id
    WHERE run_id IN {{runs:Array(UUID)}} AND subscriber_no < subscriber_count
    GROUP BY run_id, subscriber_no
)
GROUP BY run_id, latest
"""  # noqa: S608 - our own words

_REACHED = """
SELECT run_id, after_s, count()
FROM
(
    SELECT
        run_id, subscriber_no,
        intDiv(greatest(toUnixTimestamp64Milli(min(time)) - any(start_ms), 0), 1000) AS after_s
    FROM result_rows FINAL
    INNER JOIN
    (
        SELECT run_id, subscriber_count, toUnixTimestamp64Milli(started_at) AS start_ms
        FROM runs WHERE run_id IN {runs:Array(UUID)}
    ) AS starts
        USING run_id
    WHERE run_id IN {runs:Array(UUID)} AND notified AND subscriber_no < subscriber_count
    GROUP BY run_id, subscriber_no
)
GROUP BY run_id, after_s
"""

_WAVES = "SELECT run_id, wave FROM runs WHERE run_id IN {runs:Array(UUID)}"


def read_numbers(client: Client, run_ids: Sequence[UUID]) -> dict[UUID, Numbers]:
    """Count by the same definitions as the live projection."""
    values = {"runs": list(run_ids)}
    waves: dict[UUID, int] = {}
    counted: dict[UUID, tuple[int, int, int, int, int]] = {}
    for run_id, wave, *counts in client.query(_CALL_NUMBERS, values).result_rows:
        waves[run_id] = wave
        counted[run_id] = (counts[0], counts[1], counts[2], counts[3], counts[4])
    for run_id, wave in client.query(_WAVES, values).result_rows:
        waves[run_id] = max(wave, waves.get(run_id, 0))
    outcomes: dict[UUID, list[_Outcomes]] = {}
    for run_id, wave, notified, failed, by_rule in client.query(_OUTCOME_NUMBERS, values).result_rows:
        outcomes.setdefault(run_id, []).append((wave, notified, failed, by_rule))
        waves[run_id] = max(wave, waves.get(run_id, 0))
    reached: dict[UUID, dict[int, int]] = {run_id: {} for run_id in run_ids}
    for run_id, after_s, count in client.query(_REACHED, values).result_rows:
        reached[run_id][after_s] = count
    found = {
        run_id: _numbers(waves.get(run_id, 0), counted.get(run_id), outcomes.get(run_id, []))
        for run_id in run_ids
    }
    return {
        run_id: replace(
            numbers,
            t50=seconds_to_reach(50, reached[run_id]),
            t90=seconds_to_reach(90, reached[run_id]),
        )
        for run_id, numbers in found.items()
    }


def _numbers(wave: int, calls: tuple[int, int, int, int, int] | None, outcomes: list[_Outcomes]) -> Numbers:
    succeeded, failed, ringing, talking, delayed = calls or (0, 0, 0, 0, 0)
    by_rule: Mapping[str, int] = next((rules for latest, _, _, rules in outcomes if latest == wave), {})
    return Numbers(
        notified=sum(reached for _, reached, _, _ in outcomes),
        failed=sum(missed for latest, _, missed, _ in outcomes if latest == wave),
        succeeded_calls=succeeded,
        failed_calls=failed,
        ringing=ringing,
        talking=talking,
        delayed=delayed,
        wave=wave,
        failed_by_rule=dict(sorted(by_rule.items())),
    )
