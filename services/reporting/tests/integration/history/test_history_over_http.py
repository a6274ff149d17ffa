"""The history with a ClickHouse server: the same answers by HTTP, and none while it is away."""

import asyncio
from contextlib import suppress

import pytest

from cato_contracts.api.exports import ExportFormat
from cato_contracts.api.history import Grouping
from cato_contracts.errors import NotFoundError, UnavailableError
from cato_reporting.adapters.clickhouse.read_model import ClickHouseReadModel
from services.reporting.tests.export_reading import read_export
from services.reporting.tests.history_reference import expected_calls, expected_statistics
from services.reporting.tests.reporting_system import publish, reporting
from tests.support.synthetic_runs import synthetic_run


def calls_of(run):
    return expected_calls([event for sent in run.messages for event in sent.events])


async def until_answered(ask):
    """Ask until the tables can be read again."""
    async with asyncio.timeout(60):
        while True:
            with suppress(UnavailableError):
                return await ask()
            await asyncio.sleep(0.05)


async def test_a_server_gives_the_same_history_as_the_embedded_engine(bus, clickhouse_over_http):
    run = synthetic_run(1, subscribers=8, lost_ends=True)
    async with reporting(bus, clickhouse_over_http.dsn) as reports:
        await publish(bus, run.messages)
        expected = calls_of(run)
        assert await reports.all_calls(limit=6) == expected
        number = expected[3].number
        assert await reports.all_calls(number=number) == [call for call in expected if call.number == number]
        assert (await reports.call(expected[0].id)).number == expected[0].number
        for group_by in Grouping:
            answer = await reports.statistics(group_by)
            _, total = expected_statistics(expected, group_by)
            assert answer.total.model_dump() == pytest.approx(total.model_dump())
        for form in ExportFormat:
            assert read_export(await reports.export(form), form) == expected[::-1]


async def test_history_is_refused_while_clickhouse_is_away_and_complete_afterwards(bus, clickhouse_over_http):
    run = synthetic_run(2, subscribers=6)
    half = len(run.messages) // 2
    async with reporting(bus, clickhouse_over_http.dsn) as reports:
        await publish(bus, run.messages[:half])
        call = (await reports.all_calls())[0]
        export_id = await reports.begin_export(ExportFormat.CSV)
        clickhouse_over_http.kill()
        await publish(bus, run.messages[half:])
        for ask in (
            reports.calls,
            lambda: reports.call(call.id),
            lambda: reports.statistics(Grouping.DAY),
            lambda: reports.begin_export(ExportFormat.CSV),
            lambda: reports.piece(export_id, 0),
        ):
            with pytest.raises(UnavailableError):
                await ask()
        clickhouse_over_http.start()
        assert await until_answered(reports.all_calls) == calls_of(run)
        # The server may have come back without its tables, so an open export is not continued.
        with pytest.raises((UnavailableError, NotFoundError)):
            await reports.piece(export_id, 0)


async def test_an_emptied_read_model_never_shows_half_a_history(bus, clickhouse_over_http):
    run, other = synthetic_run(3, subscribers=5), synthetic_run(4, subscribers=5, user_id="somebody")
    async with reporting(bus, clickhouse_over_http.dsn) as reports:
        await publish(bus, run.messages)
        assert await reports.all_calls() == calls_of(run)
        emptier = ClickHouseReadModel(clickhouse_over_http.dsn)
        await emptier.empty()
        await emptier.close()
        await publish(bus, other.messages)
        assert await until_answered(reports.all_calls) == calls_of(run)
