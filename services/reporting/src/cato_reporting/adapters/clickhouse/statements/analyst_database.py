"""Statements of analysts in ClickHouse, within limits.

The sessions of this pool are read-only: ClickHouse itself rejects writes, changes of settings, and functions
that read files or addresses. Its check is not enough alone: a read-only session sees all tables, and the
embedded engine writes files for INTO OUTFILE. So a statement is read token by token first
(`domain.statement`), and then its syntax tree is checked (`domain.statement_tree`); what is executed is the
text that was checked.
"""

import csv
import io
import json
import re
from collections.abc import Mapping
from typing import Any

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError
from pydantic_core import to_json

from cato_contracts.api.sql import SqlFormat
from cato_reporting.adapters.clickhouse.threads import ClickHouseThreads
from cato_reporting.domain.statement import Statement, StatementError, StatementLimits
from cato_reporting.domain.statement_tree import check_tree
from cato_reporting.errors import ReadModelAwayError

VIEWS = ("runs", "calls", "call_events", "subscriber_results", "run_subscribers", "digits")
"""What analysts read (docs/analytics.md)."""

_TABLES = "SELECT name FROM system.tables WHERE database = currentDatabase()"
_MB = 1_000_000
_AWAY = frozenset({202, 209, 210, 999})
"""TOO_MANY_SIMULTANEOUS_QUERIES, SOCKET_TIMEOUT, NETWORK_ERROR, KEEPER_EXCEPTION."""
_SLOW = frozenset({159, 160})
_MEMORY = 241
_ROWS = frozenset({158, 396})
_CODE = re.compile(r"Code: (\d+)")
_SHOWN = 300
_MARGIN_S = 5.0


class ClickHouseAnalystDatabase:
    """Runs one statement at a time, in a thread of its own."""

    def __init__(self, dsn: str, limits: StatementLimits) -> None:
        self._limits = limits
        settings = {
            "max_execution_time": limits.seconds,
            "max_memory_usage": limits.memory_mb * _MB,
            "max_result_rows": limits.rows,
            "max_result_bytes": limits.result_mb * _MB,
            "result_overflow_mode": "throw",
            "max_query_size": 1_000_000,
            "output_format_json_quote_64bit_integers": 0,
            "date_time_output_format": "iso",
            # The last one: after it the session changes nothing any more.
            "readonly": 1,
        }
        timeout_s = limits.seconds + _MARGIN_S
        self._threads = ClickHouseThreads(
            dsn, threads=1, max_threads=2, timeout_s=timeout_s, name="sql", settings=settings
        )

    async def run(self, statement: Statement, values: Mapping[str, str], form: SqlFormat) -> bytes:
        return await self._threads.run(lambda client: self._run(client, statement, values, form))

    async def close(self) -> None:
        await self._threads.close()

    def _run(self, client: Client, statement: Statement, values: Mapping[str, str], form: SqlFormat) -> bytes:
        # Without a placeholder the client would look for Python's format signs.
        given: dict[str, Any] | None = dict(values) if "{" in statement.text else None
        try:
            tables = [name for (name,) in client.query(_TABLES).result_rows]
            tree = client.raw_query(f"EXPLAIN AST {statement.text}", given, fmt="TSVRaw")
            check_tree(statement, tree.decode().splitlines(), views=VIEWS, tables=tables)
            # In JSON also an error in the middle of the result comes with its code.
            found = json.loads(client.raw_query(statement.text, given, fmt="JSONCompact"))
        except ClickHouseError as error:
            # The embedded engine gives what was written before an error to the next statement of the session.
            self._threads.end_session()
            raise self._refused(str(error)) from error
        return _csv(found) if form is SqlFormat.CSV else _json(found)

    def _refused(self, message: str) -> StatementError | ReadModelAwayError:
        limits = self._limits
        found = _CODE.search(message)
        code = int(found[1]) if found else None
        if code is None or code in _AWAY:
            return ReadModelAwayError(message)
        if code in _SLOW:
            return StatementError(f"the statement takes longer than {limits.seconds} s")
        if code == _MEMORY:
            return StatementError(f"the statement needs more than {limits.memory_mb} MB of memory")
        if code in _ROWS:
            return StatementError(
                f"the result has more than {limits.rows} rows or {limits.result_mb} MB;"
                " add LIMIT, or aggregate"
            )
        return StatementError(_reason(message))


def _json(found: dict[str, Any]) -> bytes:
    """Return the columns, and the rows as lists."""
    return to_json({"columns": found["meta"], "rows": found["data"]})


def _csv(found: dict[str, Any]) -> bytes:
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(column["name"] for column in found["meta"])
    writer.writerows([_cell(value) for value in row] for row in found["data"])
    return file.getvalue().encode()


def _cell(value: Any) -> Any:
    return to_json(value).decode() if isinstance(value, bool | list | dict) else value


def _reason(message: str) -> str:
    """Return what ClickHouse says, without its own codes, versions and names of hosts."""
    text = message.rpartition("DB::Exception: ")[2]
    text = re.sub(r"\s*\(version [^)]*\)|\s*\([A-Z_0-9]{4,}\)\.?\s*$", "", text).strip().rstrip(".")
    text = " ".join(text.split())
    text = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    return f"the database rejects the statement: {text[:1].lower()}{text[1:]}"
