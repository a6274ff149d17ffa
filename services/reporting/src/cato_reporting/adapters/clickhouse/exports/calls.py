"""The export of calls, the earliest start first; pages are consecutive in time, found in call_start_rows."""

from typing import Any

import pyarrow as pa
from clickhouse_connect.driver.client import Client

from cato_contracts.api.history import CallRecord
from cato_reporting.adapters.clickhouse.call_filter import Conditions, beyond, cursor_values
from cato_reporting.adapters.clickhouse.exports.columns import Column, Content, Table
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

_TIME = pa.timestamp("ms", "UTC")

# Identifiers as text, which every reader of Parquet supports; in the order of the fields of CallRecord.
_COLUMNS = {
    "id": Column("toString(call_id)", pa.string()),
    "task_exec_id": Column("toString(run_id)", pa.string()),
    "task_id": Column("toString(task_id)", pa.string()),
    "task_name": Column("task_name", pa.string(), Content.TEXT),
    "subscriber_id": Column("toString(subscriber_id)", pa.string()),
    "subscriber_name": Column("nullIf(subscriber_name, '')", pa.string(), Content.TEXT),
    "wave": Column("wave", pa.uint8()),
    "number": Column("number", pa.string(), Content.NUMBER),
    "station_id": Column("toString(station_id)", pa.string()),
    "started_at": Column("started_at", _TIME, Content.TIME),
    "ringing_at": Column("ringing_at", _TIME, Content.TIME),
    "answered_at": Column("answered_at", _TIME, Content.TIME),
    "ended_at": Column("ended_at", _TIME, Content.TIME),
    "outcome": Column("outcome", pa.string()),
    "success": Column("success", pa.bool_()),
    "sip_code": Column("sip_code", pa.uint16()),
    "reason": Column("nullIf(reason, '')", pa.string()),
    "pdd_ms": Column("pdd_ms", pa.int64()),
    "talk_ms": Column("talk_ms", pa.int64()),
    "heard_ms": Column("heard_ms", pa.uint32()),
    "digits": Column("digits", pa.string(), Content.NUMBER),
    "delayed": Column("delayed", pa.bool_()),
    "reason_header": Column("nullIf(reason_header, '')", pa.string(), Content.TEXT),
    "sip_call_id": Column("nullIf(sip_call_id, '')", pa.string(), Content.TEXT),
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
