"""The figures of calls, counted by ClickHouse over the merged rows."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from clickhouse_connect.driver.client import Client

from cato_contracts.api.history import CallStatistics, Grouping
from cato_reporting.adapters.clickhouse.call_filter import Conditions
from cato_reporting.domain.effectiveness import SERVED, SERVED_IF_IT_RANG
from cato_reporting.errors import UnknownTimeZoneError
from cato_reporting.ports import GroupedStatistics

_KEYS = {
    Grouping.MINUTE: "toString(toUnixTimestamp(toStartOfMinute(started_at)))",
    Grouping.HOUR: "toString(toUnixTimestamp(toStartOfHour(started_at, {zone:String})))",
    Grouping.DAY: "toString(toDate(started_at, {zone:String}))",
    Grouping.HOUR_OF_DAY: "toString(toHour(started_at, {zone:String}))",
    Grouping.WEEKDAY: "toString(toDayOfWeek(started_at, 0, {zone:String}))",
    Grouping.WAVE: "toString(wave)",
    Grouping.TASK: "toString(task_id)",
    Grouping.STATION: "toString(station_id)",
    Grouping.OUTCOME: "outcome",
    Grouping.SIP_CODE: "toString(sip_code)",
    Grouping.REASON: "nullIf(reason, '')",
    Grouping.PREFIX: "substring(number, if(startsWith(number, '+'), 2, 1), 4)",
}
_WEEKDAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
_INSTANTS = {Grouping.MINUTE, Grouping.HOUR}
_ORDERED = {*_INSTANTS, Grouping.HOUR_OF_DAY, Grouping.WEEKDAY, Grouping.WAVE}
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
FROM calls
INNER JOIN (SELECT run_id, task_id, task_name, started_at AS run_started_at FROM runs) AS known_runs
    USING run_id
WHERE {conditions}
GROUP BY GROUPING SETS ((key), ())
ORDER BY is_total DESC, count() DESC, key
LIMIT {{limit:UInt32}}
"""


def read_statistics(
    client: Client, meant: Conditions, group_by: Grouping, *, time_zone: str, limit: int
) -> GroupedStatistics:
    check_zone(client, time_zone)
    sql = _FIGURES.format(key=_KEYS[group_by], conditions=" AND ".join((*_scope(meant), *meant.merged)))
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
    runs = f"run_id IN (SELECT DISTINCT run_id FROM call_start_rows WHERE {' AND '.join(meant.starts)})"  # noqa: S608
    return [runs, *meant.starts[1:]]


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
