"""The service process killed again and again in the middle of a run."""

import asyncio
import os
import random
from contextlib import suppress

import pytest

from cato_contracts.api.status import GetTaskExec
from cato_contracts.errors import UnavailableError
from cato_runtime.process.tasks import end_tasks
from cato_runtime.requests import Requester
from services.reporting.tests.reporting_process import ReportingProcess
from services.reporting.tests.reporting_system import ACTOR, keep_list, until_acknowledged
from services.reporting.tests.tables import expected_rows, stored_rows
from tests.support.synthetic_runs import naive_numbers, synthetic_run

KILLS = int(os.environ.get("CATO_TEST_KILLS", "3"))


@pytest.mark.timeout(600)
async def test_a_service_killed_at_any_moment_ends_with_the_tables_of_an_undisturbed_run(
    bus, clickhouse_dsn, tmp_path
):
    run = synthetic_run(31, subscribers=60, waves=2)
    await keep_list(bus, run)
    rng = random.Random(31)
    published = 0
    await bus.broker.start()
    requester = Requester(bus.broker)
    answers = 0

    async def publish(count):
        nonlocal published
        for sent in run.messages[published : published + count]:
            await bus.js.publish(sent.subject, sent.data, headers={"Nats-Msg-Id": sent.message_id})
            published += 1
            await asyncio.sleep(0.001)

    async def ask():
        """Every answer must match the events at some moment between the query and the answer."""
        nonlocal answers
        while True:
            before = published
            with suppress(UnavailableError):
                answer = await requester.ask(GetTaskExec(actor=ACTOR, id=run.run_id), timeout=2)
                moments = range(before, min(published + 1, len(run.messages)) + 1)
                counted = answer.report.model_dump(include=set(naive_numbers(run, [])))
                assert counted in [naive_numbers(run, events_until(run, moment)) for moment in moments]
                answers += 1
            await asyncio.sleep(0.05)

    service = ReportingProcess(bus.url, clickhouse_dsn, tmp_path)
    await publish(1)
    asking = asyncio.create_task(ask())
    share = len(run.messages) // (KILLS + 1)
    for _ in range(KILLS):
        await service.start()
        answered = answers
        await until(lambda wanted=answered: answers > wanted or asking.done())
        # Some of it comes while the service works, the rest while it is dead.
        alive = rng.randint(0, share)
        await publish(alive)
        await service.kill()
        await publish(share - alive)
    await service.start()
    await publish(len(run.messages))
    await until_acknowledged(bus, len(run.messages))
    final = await requester.ask(GetTaskExec(actor=ACTOR, id=run.run_id), timeout=60)
    assert not asking.done(), asking.exception()
    await end_tasks(asking)
    naive = naive_numbers(run, events_until(run, len(run.messages)))
    assert final.report.model_dump(include=set(naive)) == naive
    await service.stop()
    assert await stored_rows(clickhouse_dsn) == expected_rows([run])


def events_until(run, count):
    return [event for sent in run.messages[:count] for event in sent.events]


async def until(condition):
    async with asyncio.timeout(120):
        while not condition():
            await asyncio.sleep(0.01)
