"""A read model with generated runs, opened in the embedded engine as an analyst does."""

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import clickhouse_connect
import pytest

from cato_reporting.adapters.clickhouse.rows import LISTS, insert_messages, list_row
from cato_reporting.adapters.clickhouse.schema import migrate
from cato_reporting.domain.parsed_message import parse_message
from cato_reporting.ports import StoredMessage
from tests.support.synthetic_runs import BEGIN, Sent, SyntheticRun, stopped_in_wave_1, synthetic_run


@pytest.fixture(scope="session")
def runs():
    """Three runs on three mornings, and one that was stopped in its first wave.

    Subscribers with the same index have the same numbers.
    """
    whole = [
        _side_by_side(
            synthetic_run(81 + day, subscribers=40, waves=3, begin=BEGIN + timedelta(days=day, hours=day))
        )
        for day in range(4)
    ]
    return [*whole[:3], stopped_in_wave_1(whole[3], 0.5)]


def _side_by_side(run: SyntheticRun) -> SyntheticRun:
    """Give the call events their publication times, so that calls overlap."""
    rng = random.Random(run.run_id.int)
    now = run.messages[0].events[0].occurred_at
    messages = []
    for sent in run.messages:
        now += timedelta(milliseconds=rng.randrange(1, 900))
        if sent.subject.endswith(".life"):
            messages.append(sent)
        else:
            envelope = sent.events[0].model_copy(update={"occurred_at": now})
            messages.append(Sent(sent.subject, envelope.encode(), (envelope,)))
    return SyntheticRun(run.snapshot, run.subscribers, messages)


# Module scope, because the embedded engine opens one database at a time in a process.
@pytest.fixture(scope="module")
def database(tmp_path_factory, runs) -> Iterator[object]:
    directory: Path = tmp_path_factory.mktemp("analytics")
    client = clickhouse_connect.get_client(dsn=f"chdb://{directory / 'clickhouse'}")
    migrate(client)
    for run in runs:
        stored_messages = [
            StoredMessage(position, parse_message(sent.subject, sent.data))
            for position, sent in enumerate(run.messages, start=1)
        ]
        # Inserted twice, as at-least-once delivery can do; queries must not show it.
        insert_messages(client, stored_messages)
        insert_messages(client, stored_messages[: len(stored_messages) // 2])
        LISTS.insert(client, [list_row(run.run_id, person) for person in run.subscribers])
    yield client
    client.close()
