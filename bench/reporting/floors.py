"""The speed of the underlying parts alone, for comparison in the same run."""

import time
from itertools import islice
from pathlib import Path

import clickhouse_connect

from bench.reporting.big_run import BigRun
from cato_reporting.adapters.clickhouse.rows import CALL_EVENTS, insert_messages
from cato_reporting.adapters.clickhouse.schema import migrate
from cato_reporting.domain.parsed_message import parse_message
from cato_reporting.ports import StoredMessage

_ROWS = 50_000
_BATCH = 5_000


class _Prepared:
    """A fake client that keeps the block that would be inserted."""

    def __init__(self) -> None:
        self.blocks: list[bytes] = []

    def raw_insert(self, table: str, _columns: object, block: bytes, **_: object) -> None:
        if table == CALL_EVENTS.name:
            self.blocks.append(block)


def insert_rate(run: BigRun, directory: Path) -> float:
    """Return rows per second of inserting prepared blocks, batch by batch, with the tables that follow."""
    messages = (message for message in run.beginning() if ".call." in message.subject)
    prepared = _Prepared()
    stored_messages = [
        StoredMessage(position, parse_message(message.subject, message.data))
        for position, message in enumerate(islice(messages, _ROWS))
    ]
    for first in range(0, len(stored_messages), _BATCH):
        insert_messages(prepared, stored_messages[first : first + _BATCH])  # type: ignore[arg-type]
    client = clickhouse_connect.get_client(dsn=f"chdb://{directory}", settings={"max_threads": 2})
    try:
        migrate(client)
        began = time.perf_counter()
        for block in prepared.blocks:
            client.raw_insert(
                CALL_EVENTS.name,
                CALL_EVENTS.columns,
                block,
                settings={"insert_deduplicate": 0},
                fmt="JSONCompactColumns",
            )
        return len(stored_messages) / (time.perf_counter() - began)
    finally:
        client.close()
