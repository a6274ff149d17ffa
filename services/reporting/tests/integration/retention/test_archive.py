"""Runs that have left the log are shown as before, after a restart and after a rebuild, too."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from cato_contracts.api.exports import ExportFormat
from cato_contracts.api.history import Grouping
from cato_contracts.errors import NotFoundError
from cato_contracts.subjects import RUN_DISPATCH_STATES, RUNS
from cato_reporting.adapters.clickhouse.read_model import ClickHouseReadModel
from cato_reporting.projections.archive.archiver import LogRetention
from services.reporting.tests.reporting_system import (
    FixedClock,
    keep_list,
    publish,
    reporting,
    until_acknowledged,
)
from tests.support.synthetic_runs import BEGIN, in_version_1, synthetic_run

LATER = datetime(2026, 6, 1, tzinfo=UTC)
AFTER_A_MONTH = LogRetention(timedelta(days=30), interval_s=0.05)
DROPPED = LogRetention(timedelta(days=30), archive=False, interval_s=0.05)


@pytest.fixture
async def runs(bus):
    """Two old runs and a newer one, with their lists."""
    runs = [
        synthetic_run(81, subscribers=8, waves=3, lost_ends=True),
        in_version_1(synthetic_run(82, subscribers=5, begin=BEGIN + timedelta(hours=2))),
        synthetic_run(83, subscribers=3, begin=LATER - timedelta(days=1)),
    ]
    for run in runs:
        await keep_list(bus, run)
        await bus.js.publish(f"$KV.{RUN_DISPATCH_STATES.name}.{run.run_id}", headers={"KV-Operation": "DEL"})
        await publish(bus, run.messages)
    return runs


async def shown(bus, dsn, runs, retention=None):
    """Everything that a service, just started, shows of the runs and their calls."""
    async with reporting(bus, dsn, FixedClock(LATER), log_retention=retention) as reports:
        await until_acknowledged(bus, (await bus.js.stream_info(RUNS.name)).state.last_seq)
        return {
            "runs": [await reports.run(run.run_id) for run in runs],
            "list": await reports.runs(),
            "subscribers": [await reports.subscribers(run.run_id) for run in runs],
            "calls": await reports.all_calls(),
            "statistics": await reports.statistics(Grouping.TASK),
            "calls file": await reports.export(ExportFormat.JSONL),
            "files": [await reports.export_subscribers(run.run_id, ExportFormat.CSV) for run in runs],
        }


async def move(bus, dsn, retention, *, left):
    """Run the service until `left` messages are left in the log."""
    async with reporting(bus, dsn, FixedClock(LATER), log_retention=retention):
        async with asyncio.timeout(60):
            while await messages_in(bus, RUNS.name) > left:
                await asyncio.sleep(0.05)


async def messages_in(bus, stream):
    return (await bus.js.stream_info(stream)).state.messages


async def empty(dsn):
    read_model = ClickHouseReadModel(dsn)
    await read_model.empty()
    await read_model.close()


@pytest.mark.timeout(180)
async def test_an_archived_run_is_shown_as_before_also_after_a_rebuild(bus, clickhouse_dsn, runs):
    before = await shown(bus, clickhouse_dsn, runs)
    await move(bus, clickhouse_dsn, AFTER_A_MONTH, left=len(runs[-1].messages))
    assert await messages_in(bus, f"KV_{RUN_DISPATCH_STATES.name}") == 1
    assert await shown(bus, clickhouse_dsn, runs, AFTER_A_MONTH) == before
    await empty(clickhouse_dsn)
    assert await shown(bus, clickhouse_dsn, runs, AFTER_A_MONTH) == before


@pytest.mark.timeout(180)
async def test_a_dropped_run_is_shown_until_the_tables_are_rebuilt(bus, clickhouse_dsn, runs):
    before = await shown(bus, clickhouse_dsn, runs)
    await move(bus, clickhouse_dsn, DROPPED, left=len(runs[-1].messages))
    assert await shown(bus, clickhouse_dsn, runs, DROPPED) == before
    await empty(clickhouse_dsn)
    async with reporting(bus, clickhouse_dsn, FixedClock(LATER)) as reports:
        assert (await reports.run(runs[-1].run_id)).report == before["runs"][-1].report
        with pytest.raises(NotFoundError, match="older than what is kept"):
            await reports.run(runs[0].run_id)
        with pytest.raises(NotFoundError, match="there is no task execution"):
            await reports.run(UUID(int=1))
