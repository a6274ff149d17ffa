"""Reporting is killed repeatedly while ClickHouse refuses and hangs: every answer is correct.

`CATO_TEST_KILLS` is the number of kills; with 20 or more each outage of ClickHouse lasts a minute.
"""

import asyncio
import json
import os
import random

import pytest

from cato_contracts.api.status import GetStatusText, GetTaskExec, SubscriberStatus
from cato_contracts.errors import UnavailableError
from cato_runtime.process.tasks import end_tasks
from cato_runtime.requests import Requester
from services.reporting.tests.reporting_process import ReportingProcess
from services.reporting.tests.reporting_system import ACTOR, keep_list, until_acknowledged
from services.reporting.tests.status_reference import expected_statuses
from services.reporting.tests.tables import expected_rows, stored_rows
from tests.support.servers import bus, clickhouse_over_http, nats_url
from tests.support.synthetic_runs import naive_numbers, synthetic_run

__all__ = ["bus", "clickhouse_over_http", "nats_url"]

KILLS = int(os.environ.get("CATO_TEST_KILLS", "3"))
OUTAGE_S = 60.0 if KILLS >= 20 else 3.0
ANSWER_S = 120.0


class Truth:
    """The run while it is published, and the range of correct reports between two moments."""

    def __init__(self, run, bus):
        self.published = 0
        self._run = run
        self._bus = bus
        self._numbers = {}

    @property
    def size(self):
        return len(self._run.messages)

    @property
    def events(self):
        return [event for sent in self._run.messages for event in sent.events]

    async def publish(self, count):
        for sent in self._run.messages[self.published : self.published + count]:
            await self._bus.js.publish(sent.subject, sent.data, headers={"Nats-Msg-Id": sent.message_id})
            self.published += 1
            await asyncio.sleep(0.001)

    def at(self, moment):
        if moment not in self._numbers:
            events = [event for sent in self._run.messages[:moment] for event in sent.events]
            self._numbers[moment] = naive_numbers(self._run, events)
        return self._numbers[moment]

    def between(self, first, last):
        return [self.at(moment) for moment in range(first, min(last, self.size) + 1)]


class Watcher:
    """Queries continuously; each answer must be correct and not older than the one before."""

    def __init__(self, truth, requester, run_id):
        self.answers = 0
        self.refusals = 0
        self._truth = truth
        self.requester = requester
        self._run_id = run_id
        self._last = (0, 0)

    async def watch(self):
        while True:
            try:
                await self.ask(timeout=2)
            except UnavailableError:
                self.refusals += 1
            await asyncio.sleep(0.05)

    async def ask(self, *, timeout):
        before = self._truth.published
        execution = await self.requester.ask(GetTaskExec(actor=ACTOR, id=self._run_id), timeout=timeout)
        report = execution.report
        possible = self._truth.between(before, self._truth.published + 1)
        assert report.model_dump(include=set(possible[0])) in possible
        assert report.calls_total == report.calls_succeeded + report.calls_failed + report.calls_in_progress
        assert report.calls_in_progress == report.calls_ringing + report.calls_talking
        assert report.subscriber_count == (
            report.subscriber_notified + report.subscriber_failed + report.subscriber_not_yet_notified
        )
        grown = (report.calls_total, report.subscriber_notified)
        assert all(now >= then for now, then in zip(grown, self._last, strict=True))
        self._last = grown
        self.answers += 1


async def refuse(clickhouse):
    clickhouse.kill()
    await asyncio.sleep(OUTAGE_S)
    clickhouse.start()


async def hang(clickhouse):
    clickhouse.hang()
    await asyncio.sleep(OUTAGE_S)
    clickhouse.resume()


@pytest.mark.timeout(1200)
async def test_answers_are_correct_and_complete_after_kills_and_clickhouse_outages(
    bus, clickhouse_over_http, tmp_path, capsys
):
    run = synthetic_run(51, subscribers=80, waves=3)
    await keep_list(bus, run)
    rng = random.Random(os.environ.get("CATO_TEST_SEED", "51"))
    truth = Truth(run, bus)
    await bus.broker.start()
    watcher = Watcher(truth, Requester(bus.broker), run.run_id)
    service = ReportingProcess(bus.url, clickhouse_over_http.dsn, tmp_path)
    await truth.publish(1)
    watching = asyncio.create_task(watcher.watch())
    outages = []
    kills_while_away = 0
    moments = sorted(rng.sample(range(2, truth.size), KILLS))
    try:
        for number, moment in enumerate(moments):
            if number in {KILLS // 3, 2 * KILLS // 3} and all(each.done() for each in outages):
                # Outages of both kinds span several restarts of the service.
                outage = (refuse, hang)[len(outages) % 2]
                outages.append(asyncio.create_task(outage(clickhouse_over_http)))
            await service.start()
            if rng.random() < 0.7:
                # Mostly the service answers before the kill; otherwise it is killed during its start.
                answered = watcher.answers
                await until(lambda wanted=answered: watcher.answers > wanted or watching.done())
            else:
                await asyncio.sleep(rng.uniform(0.0, 2.0))
            gap = moment - truth.published
            alive = rng.randint(0, max(0, gap))
            await truth.publish(alive)
            await service.kill()
            if outages and not outages[-1].done():
                kills_while_away += 1
                if kills_while_away % (KILLS // 5 + 1) == 0:
                    # Some kills happen without an outage.
                    await outages[-1]
            await truth.publish(max(0, gap - alive))
        await service.start()
        await asyncio.gather(*outages)
        if len(outages) < 2:
            await hang(clickhouse_over_http)
        await truth.publish(truth.size)
        await until_acknowledged(bus, truth.size)
        await watcher.ask(timeout=60)
        assert await subscribers(watcher.requester, run) == expected_statuses(run, truth.events)
        assert not watching.done(), watching.exception()
        await end_tasks(watching)
        await service.stop()
    finally:
        await end_tasks(watching)
        await service.discard()
    with capsys.disabled():
        print(  # noqa: T201 - how much was tried is part of the result
            f"\n{KILLS} kills, {kills_while_away} of them while ClickHouse was away"
            f" ({OUTAGE_S:g} s refusing, {OUTAGE_S:g} s hanging); {truth.size} messages;"
            f" {watcher.answers} answers, all right, {watcher.refusals} refusals"
        )
    assert await stored_rows(clickhouse_over_http.dsn) == expected_rows([run])
    assert watcher.answers >= KILLS


async def subscribers(requester, run):
    items, cursor = [], None
    while True:
        query = GetStatusText(actor=ACTOR, run_id=run.run_id, cursor=cursor)
        text = await requester.ask(query, timeout=60)
        items += [SubscriberStatus.model_validate(each) for each in json.loads(b"[%b]" % text.text())]
        cursor = text.next_cursor
        if cursor is None:
            return items


async def until(condition):
    async with asyncio.timeout(ANSWER_S):
        while not condition():
            await asyncio.sleep(0.01)
