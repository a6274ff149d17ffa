"""What holds while ClickHouse is away, hangs, or has been emptied: by HTTP, as with a server."""

import asyncio

import pytest

from cato_contracts.errors import UnavailableError
from cato_reporting.adapters.clickhouse.read_model import ClickHouseReadModel
from services.reporting.tests.reporting_system import keep_list, publish, reporting
from services.reporting.tests.status_reference import expected_statuses
from services.reporting.tests.tables import expected_rows, stored_rows
from tests.support.synthetic_runs import naive_numbers, synthetic_run


def events_of(messages):
    return [event for sent in messages for event in sent.events]


async def assert_report_is(reports, run, messages):
    naive = naive_numbers(run, events_of(messages))
    report = (await reports.run(run.run_id)).report
    assert report.model_dump(include=set(naive)) == naive


async def until_stored(reports, run):
    """Wait until detail can be had again."""
    async with asyncio.timeout(60):
        while True:
            try:
                return await reports.subscribers(run.run_id)
            except UnavailableError:
                await asyncio.sleep(0.05)


async def test_the_report_stays_true_while_clickhouse_is_away_and_the_rows_come_later(
    bus, clickhouse_over_http
):
    run = synthetic_run(21, subscribers=8, waves=2)
    await keep_list(bus, run)
    third = len(run.messages) // 3
    async with reporting(bus, clickhouse_over_http.dsn) as reports:
        await publish(bus, run.messages[:third])
        assert await until_stored(reports, run) == expected_statuses(run, events_of(run.messages[:third]))
        clickhouse_over_http.kill()
        await publish(bus, run.messages[third : 2 * third])
        await assert_report_is(reports, run, run.messages[: 2 * third])
        with pytest.raises(UnavailableError):
            await reports.page(run.run_id)
        clickhouse_over_http.start()
        await publish(bus, run.messages[2 * third :])
        await assert_report_is(reports, run, run.messages)
        assert await until_stored(reports, run) == expected_statuses(run, events_of(run.messages))
    assert await stored_rows(clickhouse_over_http.dsn) == expected_rows([run])


async def test_the_report_stays_true_while_clickhouse_hangs(bus, clickhouse_over_http):
    run = synthetic_run(22, subscribers=8, waves=2)
    await keep_list(bus, run)
    half = len(run.messages) // 2
    async with reporting(bus, clickhouse_over_http.dsn) as reports:
        await publish(bus, run.messages[:half])
        await until_stored(reports, run)
        clickhouse_over_http.hang()
        try:
            await publish(bus, run.messages[half:])
            await assert_report_is(reports, run, run.messages)
        finally:
            clickhouse_over_http.resume()
        assert await until_stored(reports, run) == expected_statuses(run, events_of(run.messages))


async def test_a_restart_while_clickhouse_is_away_reports_active_runs_from_the_log(bus, clickhouse_over_http):
    run = synthetic_run(23, subscribers=8, waves=3)
    await keep_list(bus, run)
    half = len(run.messages) // 2
    await publish(bus, run.messages[:half])
    clickhouse_over_http.kill()
    async with reporting(bus, clickhouse_over_http.dsn) as reports:
        await assert_report_is(reports, run, run.messages[:half])
        clickhouse_over_http.start()
        await publish(bus, run.messages[half:])
        assert await until_stored(reports, run) == expected_statuses(run, events_of(run.messages))
        await assert_report_is(reports, run, run.messages)


async def test_an_emptied_read_model_is_filled_again_under_the_running_service(bus, clickhouse_over_http):
    runs = [synthetic_run(seed, subscribers=5) for seed in (24, 25)]
    for run in runs:
        await keep_list(bus, run)
    async with reporting(bus, clickhouse_over_http.dsn) as reports:
        await publish(bus, runs[0].messages)
        await until_stored(reports, runs[0])
        other = ClickHouseReadModel(clickhouse_over_http.dsn)
        await other.empty()
        await other.close()
        await publish(bus, runs[1].messages)
        for run in runs:
            assert await until_stored(reports, run) == expected_statuses(run, events_of(run.messages))
    assert await stored_rows(clickhouse_over_http.dsn) == expected_rows(runs)
