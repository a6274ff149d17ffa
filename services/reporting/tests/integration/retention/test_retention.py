"""Data is removed at its time, and a partly removed run is not reported as complete."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from cato_contracts.errors import NotFoundError
from cato_reporting.adapters.clickhouse.retention import Retention
from cato_reporting.adapters.clickhouse.threads import ClickHouseThreads
from cato_runtime.configuration.config import RetentionConfig
from services.reporting.tests.reporting_system import keep_list, publish, reporting
from services.reporting.tests.status_reference import expected_statuses
from services.reporting.tests.tables import expected_rows, stored_rows
from tests.support.synthetic_runs import naive_numbers, synthetic_run

NOW = datetime.now(UTC)
OLD = NOW - timedelta(days=200)
NEW = NOW - timedelta(minutes=30)
EVERY_TABLE = (
    *("call_event_rows", "result_rows", "run_event_rows", "list_rows"),
    *("call_rows", "call_start_rows", "run_rows"),
)


async def run_on(dsn, function):
    threads = ClickHouseThreads(dsn, threads=1, max_threads=2, timeout_s=30, name="test")
    try:
        return await threads.run(function)
    finally:
        await threads.close()


def merge(client):
    """Remove expired rows now; ClickHouse does this every few hours."""
    for table in EVERY_TABLE:
        client.command(f"OPTIMIZE TABLE {table} FINAL")


def left(client):
    return {table: client.query(f"SELECT DISTINCT run_id FROM {table}").result_rows for table in EVERY_TABLE}


def ttl_of(client, table):
    return (
        client.query(
            "SELECT create_table_query FROM system.tables"
            f" WHERE database = currentDatabase() AND name = '{table}'"
        )
        .result_rows[0][0]
        .count(" TTL ")
    )


@pytest.fixture
async def runs(bus):
    made = [synthetic_run(61, subscribers=6, begin=OLD), synthetic_run(62, subscribers=6, begin=NEW)]
    for run in made:
        for no, person in enumerate(run.subscribers):
            run.subscribers[no] = person.model_copy(update={"attributes": {"Абонент": person.full_name}})
        await keep_list(bus, run)
        await publish(bus, run.messages)
    return made


async def until_stored(reports, run):
    async with asyncio.timeout(60):
        while reports.service.metrics().lag_messages or not reports.service.metrics().read_model_up:
            await asyncio.sleep(0.02)
    return await reports.subscribers(run.run_id)


async def settled(bus, dsn, runs, retention):
    """Fill the tables, merge them and start anew: finished runs are then answered for by the tables."""
    async with reporting(bus, dsn, retention=retention) as reports:
        for run in runs:
            await until_stored(reports, run)
    await run_on(dsn, merge)


def report_of(run):
    return naive_numbers(run, [event for sent in run.messages for event in sent.events])


async def test_an_expired_run_is_removed_completely_and_other_runs_stay(bus, clickhouse_dsn, runs):
    old, new = runs
    await settled(bus, clickhouse_dsn, runs, None)
    retention = Retention.of(RetentionConfig(calls_days=100))
    async with reporting(bus, clickhouse_dsn, retention=retention) as reports:
        # At once, even if ClickHouse has not removed the rows yet.
        with pytest.raises(NotFoundError, match="older than what is kept"):
            await reports.run(old.run_id)
        with pytest.raises(NotFoundError, match="older than what is kept"):
            await reports.page(old.run_id)
        assert [each.id for each in (await reports.runs()).items] == [new.run_id]
    await run_on(clickhouse_dsn, merge)
    assert await run_on(clickhouse_dsn, left) == {table: [(new.run_id,)] for table in EVERY_TABLE}
    assert await stored_rows(clickhouse_dsn) == expected_rows([new])
    async with reporting(bus, clickhouse_dsn, retention=retention) as reports:
        report = (await reports.run(new.run_id)).report
        assert report.model_dump(include=set(report_of(new))) == report_of(new)


async def test_a_run_whose_events_have_expired_keeps_its_report_and_its_calls(bus, clickhouse_dsn, runs):
    retention = Retention.of(RetentionConfig(events_days=100))
    await settled(bus, clickhouse_dsn, runs, retention)
    old, _ = runs
    async with reporting(bus, clickhouse_dsn, retention=retention) as reports:
        for run in runs:
            report = (await reports.run(run.run_id)).report
            assert report.model_dump(include=set(report_of(run))) == report_of(run)
            statuses = await reports.subscribers(run.run_id)
            expected = expected_statuses(run, [event for sent in run.messages for event in sent.events])
            if run is old:
                expected = [status.model_copy(update={"phones": bare(status.phones)}) for status in expected]
            assert statuses == expected


def bare(phones):
    return [
        phone.model_copy(update={"calls": [call.model_copy(update={"events": []}) for call in phone.calls]})
        for phone in phones
    ]


async def test_a_run_whose_names_have_expired_keeps_its_numbers_and_results(bus, clickhouse_dsn, runs):
    retention = Retention.of(RetentionConfig(names_days=100))
    await settled(bus, clickhouse_dsn, runs, retention)
    old, new = runs
    async with reporting(bus, clickhouse_dsn, retention=retention) as reports:
        report = (await reports.run(old.run_id)).report
        assert report.model_dump(include=set(report_of(old))) == report_of(old)
        expected = expected_statuses(old, [event for sent in old.messages for event in sent.events])
        statuses = await reports.subscribers(old.run_id)
        assert [status.notified for status in statuses] == [status.notified for status in expected]
        assert all(status.subscriber.full_name == "" and not status.subscriber.phones for status in statuses)
        for status, whole in zip(statuses, expected, strict=True):
            called = [phone for phone in bare(whole.phones) if phone.calls]
            assert [phone.calls for phone in status.phones] == [phone.calls for phone in called]
            assert {phone.number for phone in status.phones} <= {""}
    rest = repr(await run_on(clickhouse_dsn, everything_about(old.run_id)))
    assert "Абонент" not in rest
    assert not any(number in rest for person in old.subscribers for number in person.phones)
    assert "Абонент" in repr(await run_on(clickhouse_dsn, everything_about(new.run_id)))


def everything_about(run_id):
    def read(client):
        return [
            client.query(f"SELECT * FROM {table} WHERE run_id = '{run_id}'").result_rows
            for table in EVERY_TABLE
        ]

    return read


async def test_retention_can_be_changed_and_switched_off(bus, clickhouse_dsn, runs):
    def count(client):
        return [ttl_of(client, table) for table in ("run_rows", "call_event_rows", "list_rows")]

    for config, expected in (
        (RetentionConfig(), [0, 0, 0]),
        (RetentionConfig(calls_days=3650, names_days=2000), [1, 1, 7]),
        (RetentionConfig(calls_days=3650), [1, 1, 1]),
        (RetentionConfig(events_days=1000), [0, 1, 0]),
        (RetentionConfig(), [0, 0, 0]),
    ):
        await settled(bus, clickhouse_dsn, runs, Retention.of(config))
        assert await run_on(clickhouse_dsn, count) == expected
    assert await stored_rows(clickhouse_dsn) == expected_rows(runs)


async def test_an_active_run_older_than_the_retention_is_reported_from_the_log(bus, clickhouse_dsn):
    run = synthetic_run(63, subscribers=6, begin=OLD)
    await keep_list(bus, run)
    half = run.messages[: len(run.messages) // 2]
    await publish(bus, half)
    retention = Retention.of(RetentionConfig(calls_days=100))
    for _ in range(2):
        async with reporting(bus, clickhouse_dsn, retention=retention) as reports:
            report = (await reports.run(run.run_id)).report
            naive = naive_numbers(run, [event for sent in half for event in sent.events])
            assert report.model_dump(include=set(naive)) == naive
        await run_on(clickhouse_dsn, merge)
