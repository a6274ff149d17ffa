"""Calls as a file: CSV, JSON lines or Parquet, written page by page.

Each page is a separate query for calls that are consecutive in time, found in call_start_rows. So the memory
of an export, here and in ClickHouse, does not depend on the number of calls. A single query would have to
sort all calls, and the embedded engine holds the complete result of a format that has a header and a footer.
No query stays open between two pages, even if the client fetches them slowly. A page shows its calls at the
time when it is written; an export is not a snapshot of one moment.

ClickHouse writes the text formats itself. A Parquet file ends with the positions of all its parts, so the
pages, which ClickHouse writes in Arrow's format, are put together here, each as a row group.
"""

import io
from typing import Any

import pyarrow as pa
from clickhouse_connect.driver.client import Client

from cato_contracts.api.history import CallRecord, ExportFormat
from cato_reporting.adapters.clickhouse.call_filter import (
    Conditions,
    beyond,
    cursor_values,
)
from cato_reporting.adapters.clickhouse.threads import ClickHouseThreads
from cato_reporting.ports import CallPosition

PAGE = 30_000
"""Calls per page, some 12 MB of text; a third of them takes nearly as long."""

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
    "id": ("toString(call_id)", pa.string()),
    "task_exec_id": ("toString(run_id)", pa.string()),
    "task_id": ("toString(task_id)", pa.string()),
    "task_name": ("task_name", pa.string()),
    "subscriber_id": ("toString(subscriber_id)", pa.string()),
    "subscriber_name": ("nullIf(subscriber_name, '')", pa.string()),
    "wave": ("wave", pa.uint8()),
    "number": ("number", pa.string()),
    "station_id": ("toString(station_id)", pa.string()),
    "started_at": ("started_at", pa.timestamp("ms", "UTC")),
    "ringing_at": ("ringing_at", pa.timestamp("ms", "UTC")),
    "answered_at": ("answered_at", pa.timestamp("ms", "UTC")),
    "ended_at": ("ended_at", pa.timestamp("ms", "UTC")),
    "outcome": ("outcome", pa.string()),
    "success": ("success", pa.bool_()),
    "sip_code": ("sip_code", pa.uint16()),
    "reason": ("nullIf(reason, '')", pa.string()),
    "pdd_ms": ("pdd_ms", pa.int64()),
    "talk_ms": ("talk_ms", pa.int64()),
    "heard_ms": ("heard_ms", pa.uint32()),
    "digits": ("digits", pa.string()),
    "delayed": ("delayed", pa.bool_()),
}
_NAMES = {name: field.alias or name for name, field in CallRecord.model_fields.items()}
_SCHEMA = pa.schema([pa.field(_NAMES[name], kind) for name, (_, kind) in _COLUMNS.items()])

# Values of the other columns rarely repeat: a dictionary would cost time and memory and save nothing.
_REPEATED = [
    _NAMES[name]
    for name in (
        "task_exec_id",
        "task_id",
        "task_name",
        "wave",
        "station_id",
        "outcome",
        "sip_code",
        "reason",
    )
]

# The outer query names the columns, so that the names do not clash with the columns of the tables.
_CALLS = f"""
SELECT {", ".join(f"c{column} AS {_NAMES[name]}" for column, name in enumerate(_COLUMNS))}
FROM
(
    SELECT started_at AS at, call_id AS call,
        {", ".join(f"{sql} AS c{column}" for column, (sql, _) in enumerate(_COLUMNS.values()))}
    FROM calls
    INNER JOIN (SELECT run_id, task_id, task_name FROM runs) AS known_runs USING run_id
    WHERE (run_id, subscriber_no, call_id) IN ({{keys}}){{conditions}}
)
ORDER BY at, call
SETTINGS
    date_time_output_format = 'iso', format_csv_null_representation = '',
    output_format_json_quote_64bit_integers = 0,
    output_format_arrow_string_as_string = 1, output_format_arrow_compression_method = 'none'
"""  # noqa: S608 - our own words


class ClickHousePages:
    """One export; calls of `read` must not overlap."""

    def __init__(self, threads: ClickHouseThreads, meant: Conditions, form: ExportFormat) -> None:
        self._threads = threads
        self._meant = meant
        self._form = form
        self._after: CallPosition | None = None
        self._begun = False
        self._ended = False
        self._parquet = _ParquetFile() if form is ExportFormat.PARQUET else None

    async def read(self) -> bytes | None:
        return None if self._ended else await self._threads.run(self._read)

    def _read(self, client: Client) -> bytes:
        meant = self._meant
        values: dict[str, Any] = meant.values | {"look": PAGE}
        here: tuple[str, ...] = ()
        if self._after is not None:
            here = (beyond("after", ">"),)
            values |= cursor_values("after", self._after)
        look = _LOOK.format(conditions=" AND ".join((*meant.starts, *here)))
        found, at, call_id = client.query(look, values).result_rows[0]
        # An empty page is read, too: it contains the column names or the header of the file.
        here = (*here, beyond("end", "<="))
        values |= cursor_values("end", (at, call_id))
        sql = _CALLS.format(
            keys=meant.keys_with(*here), conditions="".join(f" AND {each}" for each in (*meant.merged, *here))
        )
        content = self._written(client, sql, values, last=found < PAGE)
        self._after, self._begun, self._ended = (at, call_id), True, found < PAGE
        return content

    def _written(self, client: Client, sql: str, values: dict[str, Any], *, last: bool) -> bytes:
        if self._parquet is not None:
            self._parquet.add(client.raw_query(sql, values, fmt="ArrowStream"))
            return self._parquet.taken(last=last)
        if self._form is ExportFormat.JSONL:
            return client.raw_query(sql, values, fmt="JSONEachRow")
        return client.raw_query(sql, values, fmt="CSV" if self._begun else "CSVWithNames")


class _ParquetFile:
    """A Parquet file whose bytes can be read while it is written."""

    def __init__(self) -> None:
        # Imported for the first export only: it takes 10 MB.
        from pyarrow.parquet import ParquetWriter  # noqa: PLC0415

        self._bytes = _Bytes()
        self._writer = ParquetWriter(self._bytes, _SCHEMA, compression="zstd", use_dictionary=_REPEATED)

    def add(self, stream: bytes) -> None:
        table = pa.ipc.open_stream(stream).read_all()
        if table.num_rows:
            self._writer.write_table(table.cast(_SCHEMA))

    def taken(self, *, last: bool) -> bytes:
        if last:
            self._writer.close()
        return self._bytes.taken()


class _Bytes(io.RawIOBase):
    """A writable file that drops the bytes that were read."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []
        self._size = 0

    def writable(self) -> bool:
        return True

    def write(self, content: Any) -> int:
        part = bytes(content)
        self._parts.append(part)
        self._size += len(part)
        return len(part)

    def tell(self) -> int:
        return self._size

    def taken(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)
