"""What the parts below could do by themselves, in the same run."""

import time
from itertools import islice
from pathlib import Path

import clickhouse_connect

from bench.reporting.big_run import BigRun
from cato_reporting.adapters.clickhouse_migrations import migrate
from cato_reporting.adapters.clickhouse_rows import CALL_EVENTS, Table, insert_facts
from cato_reporting.domain.reading import read_message
from cato_reporting.ports import Fact

_ROWS = 50_000
_BATCH = 5_000


class _Prepared:
    """Stands in for a client: keeps the columns that would be inserted."""

    def __init__(self) -> None:
        self.columns: list[list[object]] = []

    def insert(self, table: str, columns: list[list[object]], **_: object) -> None:
        if table == CALL_EVENTS.name:
            self.columns = columns


def insert_rate(run: BigRun, directory: Path) -> float:
    """Return rows per second of inserting prepared columns, batch by batch, with the tables that follow."""
    messages = (message for message in run.beginning() if ".call." in message.subject)
    prepared = _Prepared()
    facts = [
        Fact(position, read_message(message.subject, message.data))
        for position, message in enumerate(islice(messages, _ROWS))
    ]
    insert_facts(prepared, facts)  # type: ignore[arg-type]
    client = clickhouse_connect.get_client(dsn=f"chdb://{directory}", settings={"max_threads": 2})
    try:
        migrate(client)
        began = time.perf_counter()
        for first in range(0, len(facts), _BATCH):
            _insert(client, CALL_EVENTS, [column[first : first + _BATCH] for column in prepared.columns])
        return len(facts) / (time.perf_counter() - began)
    finally:
        client.close()


def _insert(client: object, table: Table, columns: list[list[object]]) -> None:
    client.insert(  # type: ignore[attr-defined]
        table.name,
        columns,
        column_names=list(table.columns),
        column_type_names=list(table.columns.values()),
        column_oriented=True,
        settings={"insert_deduplicate": 0},
    )
