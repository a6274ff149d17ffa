"""What the service says of itself while the read model comes and goes."""

import asyncio

from services.reporting.tests.reporting_system import keep_list, publish, reporting
from tests.support.synthetic_runs import synthetic_run


async def until(condition):
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.02)


def inserted(service):
    (metric,) = service.inserts.collect()
    return next(sample.value for sample in metric.samples if sample.name.endswith("_count"))


async def test_the_metrics_show_that_the_read_model_is_away_and_back(bus, clickhouse_over_http):
    run = synthetic_run(41, subscribers=8, waves=2)
    await keep_list(bus, run)
    half = len(run.messages) // 2
    events = sum(len(sent.events) for sent in run.messages)
    async with reporting(bus, clickhouse_over_http.dsn) as reports:
        service = reports.service
        await publish(bus, run.messages[:half])
        await until(lambda: service.metrics().read_model_up and service.metrics().lag_messages == 0)
        assert service.metrics().batches == inserted(service) > 0
        clickhouse_over_http.kill()
        await bus.js.publish(f"run.{run.run_id}.call.0", b"poison")
        await publish(bus, run.messages[half:])
        await until(lambda: not service.metrics().read_model_up and service.metrics().lag_seconds > 1.5)
        assert service.metrics().lag_messages == len(run.messages) - half + 1
        assert service.metrics().report_age < service.metrics().lag_seconds
        assert service.metrics().followed_runs == 1
        clickhouse_over_http.start()
        await until(lambda: service.metrics().read_model_up and service.metrics().lag_messages == 0)
        await until(lambda: service.metrics().lag_seconds < 1.5)
        assert service.metrics().dead_letters == 1
        assert service.metrics().events >= events
