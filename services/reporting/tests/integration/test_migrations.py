"""A database that an earlier version has made is brought to the current one."""

import json

import pytest

from cato_contracts.api.history import CallFilter
from cato_contracts.messages.calls import CallEventKind
from cato_reporting.adapters.clickhouse import schema as clickhouse_migrations
from cato_reporting.adapters.clickhouse.call_history import ClickHouseHistory
from cato_reporting.adapters.clickhouse.rows import insert_messages
from cato_reporting.adapters.clickhouse.schema import migrate, migrations
from cato_reporting.adapters.clickhouse.threads import ClickHouseThreads
from cato_reporting.domain.parsed_message import parse_message
from cato_reporting.ports import CallSelection, StoredMessage
from services.reporting.tests.history_reference import expected_calls
from services.reporting.tests.tables import expected_rows, stored_rows
from tests.support.synthetic_runs import synthetic_run


class EarlierClient:
    """Inserts the columns that a service of before migration 0005 has inserted."""

    def __init__(self, client):
        self._client = client

    def raw_insert(self, table, columns, block, **options):
        values = dict(zip(columns, json.loads(block), strict=True))
        for added_later in ("digit", "reason_header", "sip_call_id", "verdict", "next_attempt_at"):
            values.pop(added_later, None)
        self._client.raw_insert(table, list(values), json.dumps(list(values.values())), **options)


def stored_messages_of(run):
    return [
        StoredMessage(index, parse_message(sent.subject, sent.data))
        for index, sent in enumerate(run.messages)
    ]


async def migrated_halfway(dsn, run, version, monkeypatch):
    """Store half of the run's messages in the tables of `version`, migrate, and store the others."""
    stored_messages = stored_messages_of(run)
    half = len(stored_messages) // 2
    versions = migrations()
    threads = ClickHouseThreads(dsn, threads=1, max_threads=2, timeout_s=30, name="test")

    def grow(client):
        monkeypatch.setattr(clickhouse_migrations, "migrations", lambda: versions[:version])
        migrate(client)
        insert_messages(EarlierClient(client), stored_messages[:half])
        monkeypatch.setattr(clickhouse_migrations, "migrations", lambda: versions)
        # A migration that broke off before it was noted is applied again.
        migrate(client)
        client.command("TRUNCATE TABLE schema_versions")
        migrate(client)
        insert_messages(client, stored_messages[half:])

    await threads.run(grow)
    await threads.close()


async def test_calls_stored_before_the_history_tables_are_in_the_history(empty_clickhouse_dsn, monkeypatch):
    run = synthetic_run(1, subscribers=8)
    await migrated_halfway(empty_clickhouse_dsn, run, 2, monkeypatch)
    history = ClickHouseHistory(empty_clickhouse_dsn)
    found = await history.calls(CallSelection(CallFilter()), before=None, limit=1000)
    await history.close()
    expected = expected_calls([event for sent in run.messages for event in sent.events])
    # The calls that were stored before the migrations have no reason header and no SIP Call-ID.
    for name in ("reason_header", "sip_call_id"):
        lost = {was.id for was in found.calls if getattr(was, name) is None}
        expected = [call.model_copy(update={name: None}) if call.id in lost else call for call in expected]
        assert len({getattr(call, name) for call in found.calls}) > 1
    assert found.calls == expected
    assert any(call.digits for call in expected)


@pytest.mark.parametrize("version", [3, 4])
async def test_digits_stored_before_the_digit_column_are_in_the_column(
    empty_clickhouse_dsn, version, monkeypatch
):
    run = synthetic_run(1, subscribers=8)
    await migrated_halfway(empty_clickhouse_dsn, run, version, monkeypatch)
    rows = await stored_rows(empty_clickhouse_dsn)
    expected = expected_rows([run])
    assert rows["digits"] == expected["digits"] != []
    assert rows["call_events"] == expected["call_events"]
    keyed = [row for row in rows["call_events"] if row[4] == CallEventKind.DIGIT.value]
    assert all(len(row[-1]) == 1 for row in keyed)


def test_migrations_are_numbered_from_one_without_gaps_and_repetitions():
    assert [version for version, _, _ in migrations()] == list(range(1, len(migrations()) + 1))
