"""The export of calls, the earliest start first; pages are consecutive in time, found in call_start_rows."""

from typing import Any

from clickhouse_connect.driver.client import Client

from cato_contracts.api.history import CallRecord
from cato_reporting.adapters.clickhouse.call_filter import Conditions, beyond, cursor_values
from cato_reporting.adapters.clickhouse.exports.columns import ArrowType, Column, Content, Table
from cato_reporting.adapters.clickhouse.exports.pages import Page
from cato_reporting.ports import CallPosition

_LOOK = """
SELECT count(), toUnixTimestamp64Milli(max((started_at, call_id)).1), max((started_at, call_id)).2
FROM
(
    SELECT started_at, call_id FROM call_start_rows WHERE {conditions}
    ORDER BY started_at, call_id LIMIT {{look:UInt32}}
)
"""

# Identifiers as text, which every reader of Parquet supports; in the order of the fields of CallRecord.
_COLUMNS = {
    "id": Column("toString(call_id)", ArrowType.STRING),
    "task_exec_id": Column("toString(run_id)", ArrowType.STRING),
    "task_id": Column("toString(task_id)", ArrowType.STRING),
    "task_name": Column("task_name", ArrowType.STRING, Content.TEXT),
    "subscriber_id": Column("toString(subscriber_id)", ArrowType.STRING),
    "subscriber_name": Column("nullIf(subscriber_name, '')", ArrowType.STRING, Content.TEXT),
    "wave": Column("wave", ArrowType.UINT8),
    "number": Column("number", ArrowType.STRING, Content.NUMBER),
    "station_id": Column("toString(station_id)", ArrowType.STRING),
    "started_at": Column("started_at", ArrowType.TIMESTAMP, Content.TIME),
    "ringing_at": Column("ringing_at", ArrowType.TIMESTAMP, Content.TIME),
    "answered_at": Column("answered_at", ArrowType.TIMESTAMP, Content.TIME),
    "ended_at": Column("ended_at", ArrowType.TIMESTAMP, Content.TIME),
    "outcome": Column("outcome", ArrowType.STRING),
    "success": Column("success", ArrowType.BOOL),
    "sip_code": Column("sip_code", ArrowType.UINT16),
    "reason": Column("nullIf(reason, '')", ArrowType.STRING),
    "pdd_ms": Column("pdd_ms", ArrowType.INT64),
    "talk_ms": Column("talk_ms", ArrowType.INT64),
    "heard_ms": Column("heard_ms", ArrowType.UINT32),
    "digits": Column("digits", ArrowType.STRING, Content.NUMBER),
    "delayed": Column("delayed", ArrowType.BOOL),
    "reason_header": Column("nullIf(reason_header, '')", ArrowType.STRING, Content.TEXT),
    "sip_call_id": Column("nullIf(sip_call_id, '')", ArrowType.STRING, Content.TEXT),
    "shared_with": Column("shared_with", ArrowType.STRINGS, Content.TEXTS),
}


_TABLE = Table(
    "Calls",
    CallRecord,
    _COLUMNS,
    ("task_exec_id", "task_id", "task_name", "wave", "station_id", "outcome", "sip_code", "reason"),
)


class CallSource:
    """The calls that meet the conditions."""

    table = _TABLE

    def __init__(self, meant: Conditions) -> None:
        self._meant = meant
        self._after: CallPosition | None = None
        self._end: CallPosition | None = None

    def next_page(self, client: Client, select: str, size: int) -> Page:
        meant = self._meant
        values: dict[str, Any] = meant.values | {"look": size}
        here: tuple[str, ...] = ()
        if self._after is not None:
            here = (beyond("after", ">"),)
            values |= cursor_values("after", self._after)
        look = _LOOK.format(conditions=" AND ".join((*meant.starts, *here)))
        found, at, call_id = client.query(look, values).result_rows[0]
        # An empty page is read, too: it contains the column names or the header of the file.
        here = (*here, beyond("end", "<="))
        values |= cursor_values("end", (at, call_id))
        conditions = "".join(f" AND {each}" for each in (*meant.merged, *here))
        sql = f"""
SELECT (started_at, call_id) AS place, {select}
FROM calls
INNER JOIN (SELECT run_id, task_id, task_name FROM runs) AS known_runs USING run_id
WHERE (run_id, subscriber_no, call_id) IN ({meant.keys_with(*here)}){conditions}
"""  # noqa: S608 - our own words
        self._end = (at, call_id)
        return Page(sql, values, last=found < size)

    def confirm(self) -> None:
        self._after = self._end
