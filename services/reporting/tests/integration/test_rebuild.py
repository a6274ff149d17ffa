"""`cato-reporting rebuild` as it is typed."""

import asyncio
from contextlib import suppress

import pytest

from cato_contracts.api.status import GetStatusText
from cato_runtime.requests import Requester
from services.reporting.tests.reporting_process import ReportingProcess
from services.reporting.tests.reporting_system import ACTOR, keep_list, publish
from services.reporting.tests.tables import expected_rows, stored_rows
from tests.support.synthetic_runs import in_version_1, synthetic_run


@pytest.mark.timeout(180)
async def test_a_rebuilt_read_model_has_every_row_that_it_had(bus, clickhouse_dsn, tmp_path):
    runs = [synthetic_run(seed, subscribers=8, waves=3, lost_ends=True) for seed in (71, 72)]
    runs[1] = in_version_1(runs[1])
    for run in runs:
        await keep_list(bus, run)
        await publish(bus, run.messages)
    await bus.broker.start()
    requester = Requester(bus.broker)
    service = ReportingProcess(bus.url, clickhouse_dsn, tmp_path)

    async def fill():
        await service.start()
        await until_acknowledged(bus, sum(len(run.messages) for run in runs))
        for run in runs:
            await requester.ask(GetStatusText(actor=ACTOR, run_id=run.run_id), timeout=60)
        await service.stop()
        return await stored_rows(clickhouse_dsn)

    try:
        before = await fill()
        assert before == expected_rows(runs)
        await service.start("rebuild")
        await service.ended()
        assert await fill() == before
    finally:
        await service.discard()


async def until_acknowledged(bus, position):
    async with asyncio.timeout(60):
        while True:
            with suppress(Exception):
                info = await bus.js.consumer_info("RUNS", "reporting")
                if info.ack_floor.stream_seq >= position:
                    return
            await asyncio.sleep(0.05)
