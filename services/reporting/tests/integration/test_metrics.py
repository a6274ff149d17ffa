"""What the service says of itself while the read model comes and goes."""

import asyncio

from services.reporting.tests.reporting_system import keep_list, publish, reporting
from tests.support.synthetic_runs import synthetic_run


async def until(condition):
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.02)


async def test_the_figures_tell_that_the_read_model_is_away_and_back(bus, clickhouse_over_http):
    run = synthetic_run(41, subscribers=8, waves=2)
    await keep_list(bus, run)
    half = len(run.messages) // 2
    events = sum(len(sent.events) for sent in run.messages)
    async with reporting(bus, clickhouse_over_http.dsn) as reports:
        role = reports.role
        await publish(bus, run.messages[:half])
        await until(lambda: role.figures().read_model_up and role.figures().lag_messages == 0)
        assert role.figures().batches == role.figures().inserts.up_to()[-1][1] > 0
        clickhouse_over_http.kill()
        await bus.js.publish(f"run.{run.run_id}.call.0", b"poison")
        await publish(bus, run.messages[half:])
        await until(lambda: not role.figures().read_model_up and role.figures().lag_seconds > 1.5)
        assert role.figures().lag_messages == len(run.messages) - half + 1
        assert role.figures().report_age < role.figures().lag_seconds
        assert role.figures().followed_runs == 1
        clickhouse_over_http.start()
        await until(lambda: role.figures().read_model_up and role.figures().lag_messages == 0)
        await until(lambda: role.figures().lag_seconds < 1.5)
        assert role.figures().dead_letters == 1
        assert role.figures().events >= events
