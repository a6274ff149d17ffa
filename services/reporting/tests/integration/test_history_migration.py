"""A database of an earlier version: the history has its calls, too."""

from cato_contracts.history import CallFilter
from cato_reporting.adapters import clickhouse_migrations
from cato_reporting.adapters.clickhouse_history import ClickHouseHistory
from cato_reporting.adapters.clickhouse_migrations import migrate, migrations
from cato_reporting.adapters.clickhouse_rows import insert_facts
from cato_reporting.adapters.clickhouse_threads import ClickHouseThreads
from cato_reporting.domain.reading import read_message
from cato_reporting.ports import CallSelection, Fact
from services.reporting.tests.history_reference import expected_calls
from tests.support.synthetic_runs import synthetic_run


async def test_calls_from_before_the_history_are_in_it(clickhouse_dsn, monkeypatch):
    run = synthetic_run(1, subscribers=8)
    facts = [Fact(place, read_message(sent.subject, sent.data)) for place, sent in enumerate(run.messages)]
    half = len(facts) // 2
    versions = migrations()
    threads = ClickHouseThreads(clickhouse_dsn, threads=1, max_threads=2, timeout_s=30, name="test")

    def grow(client):
        monkeypatch.setattr(clickhouse_migrations, "migrations", lambda: versions[:2])
        migrate(client)
        insert_facts(client, facts[:half])
        monkeypatch.setattr(clickhouse_migrations, "migrations", lambda: versions)
        # Broken off before it was noted, it is done again.
        migrate(client)
        client.command("TRUNCATE TABLE schema_versions")
        migrate(client)
        insert_facts(client, facts[half:])

    await threads.run(grow)
    await threads.close()
    history = ClickHouseHistory(clickhouse_dsn)
    found = await history.calls(CallSelection(CallFilter()), before=None, limit=1000)
    await history.close()
    expected = expected_calls([event for sent in run.messages for event in sent.events])
    assert found.calls == expected
    assert any(call.digits for call in expected)
