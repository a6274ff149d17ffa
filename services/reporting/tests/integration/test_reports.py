"""Runs through the real log and the real engine: reports, documents, dead letters."""

import asyncio

import pytest

from cato_contracts.api.status import RunState, SubscriberFilter
from cato_contracts.errors import NotFoundError
from cato_contracts.requests import Actor
from cato_jetstream import DeadLetterStream, Unavailable
from cato_reporting.adapters.nats.run_log import NatsRunLog
from services.reporting.tests.reporting_system import keep_list, publish, reporting
from services.reporting.tests.status_reference import expected_statuses
from tests.support.synthetic_runs import naive_numbers, synthetic_run


def events_of(messages):
    return [event for sent in messages for event in sent.events]


async def test_a_run_is_reported_at_every_stage_as_its_events_say(bus, clickhouse_dsn):
    run = synthetic_run(1, subscribers=8, waves=3)
    await keep_list(bus, run)
    async with reporting(bus, clickhouse_dsn) as reports:
        for end in range(1, len(run.messages) + 1, 7):
            await publish(bus, run.messages[max(0, end - 7) : end])
            task_exec = await reports.run(run.run_id)
            naive = naive_numbers(run, events_of(run.messages[:end]))
            assert task_exec.report.model_dump(include=set(naive)) == naive


async def test_the_document_shows_every_subscriber_number_call_and_event(bus, clickhouse_dsn):
    run = synthetic_run(2, subscribers=12, waves=2)
    await keep_list(bus, run)
    async with reporting(bus, clickhouse_dsn) as reports:
        await publish(bus, run.messages)
        assert (await reports.run(run.run_id)).report.state is RunState.FINISHED
        expected = expected_statuses(run, events_of(run.messages))
        assert await reports.subscribers(run.run_id, limit=5) == expected
        failed = [status for status in expected if not status.notified]
        assert await reports.subscribers(run.run_id, which=SubscriberFilter.FAILED) == failed
        bare = await reports.subscribers(run.run_id, events=False)
        assert all(not call.events for status in bare for phone in status.phones for call in phone.calls)
        assert await reports.subscribers(run.run_id, which=SubscriberFilter.NONE) == []


async def test_detail_of_an_active_run_is_as_recent_as_its_report(bus, clickhouse_dsn):
    run = synthetic_run(3, subscribers=6, waves=2)
    await keep_list(bus, run)
    async with reporting(bus, clickhouse_dsn) as reports:
        for end in range(1, len(run.messages) + 1, 11):
            await publish(bus, run.messages[max(0, end - 11) : end])
            seen = events_of(run.messages[:end])
            assert await reports.subscribers(run.run_id) == expected_statuses(run, seen)


async def test_a_run_that_has_just_started_is_known(bus, clickhouse_dsn):
    async with reporting(bus, clickhouse_dsn) as reports:
        for seed in range(5):
            run = synthetic_run(seed)
            await keep_list(bus, run)
            await publish(bus, run.messages[:1])
            assert (await reports.run(run.run_id)).report.active_phase


async def test_other_peoples_runs_and_unknown_ones_are_not_found(bus, clickhouse_dsn):
    run = synthetic_run(4)
    await keep_list(bus, run)
    async with reporting(bus, clickhouse_dsn) as reports:
        await publish(bus, run.messages)
        other = Actor(user_id="somebody")
        with pytest.raises(NotFoundError):
            await reports.run(run.run_id, actor=other)
        with pytest.raises(NotFoundError):
            await reports.page(run.run_id, actor=other)
        with pytest.raises(NotFoundError):
            await reports.run(run.snapshot.task_id)
        assert (await reports.runs(actor=other)).items == []
        assert await reports.run(run.run_id, actor=Actor(user_id="somebody", admin=True))


async def test_a_restarted_service_reports_finished_and_active_runs_as_before(bus, clickhouse_dsn):
    finished, active = synthetic_run(5, subscribers=7), synthetic_run(6, subscribers=7, waves=3)
    for run in (finished, active):
        await keep_list(bus, run)
    half = len(active.messages) // 2
    async with reporting(bus, clickhouse_dsn) as reports:
        await publish(bus, finished.messages)
        await publish(bus, active.messages[:half])
        before = [await reports.run(run.run_id) for run in (finished, active)]
        documents = [await reports.subscribers(run.run_id) for run in (finished, active)]
    async with reporting(bus, clickhouse_dsn) as reports:
        assert [await reports.run(run.run_id) for run in (finished, active)] == before
        assert [await reports.subscribers(run.run_id) for run in (finished, active)] == documents
        listed = (await reports.runs()).items
        assert sorted(listed, key=lambda each: each.id) == sorted(before, key=lambda each: each.id)
        assert [each.id for each in (await reports.runs(active=True)).items] == [active.run_id]
        assert [each.id for each in (await reports.runs(active=False)).items] == [finished.run_id]
        await publish(bus, active.messages[half:])
        naive = naive_numbers(active, events_of(active.messages))
        report = (await reports.run(active.run_id)).report
        assert report.model_dump(include=set(naive)) == naive


async def test_a_page_of_runs_is_followed_by_the_next_one(bus, clickhouse_dsn):
    runs = [synthetic_run(seed, subscribers=2) for seed in range(10, 15)]
    for run in runs:
        await keep_list(bus, run)
    async with reporting(bus, clickhouse_dsn) as reports:
        for run in runs[:3]:
            await publish(bus, run.messages)
        seen = []
        cursor = None
        for run in runs[3:]:
            await publish(bus, run.messages[:3])
    async with reporting(bus, clickhouse_dsn) as reports:
        while True:
            page = await reports.runs(limit=2, cursor=cursor)
            seen += [each.id for each in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break
        assert len(seen) == 5
        assert set(seen) == {run.run_id for run in runs}


async def test_a_bad_message_becomes_a_dead_letter_and_the_rest_is_stored(bus, clickhouse_dsn):
    run = synthetic_run(7, subscribers=5)
    await keep_list(bus, run)
    bad = [
        (f"run.{run.run_id}.call.0", b"{"),
        (f"run.{run.run_id}.call.1", run.messages[-1].data),
        ("run.nobody.life", b"{}"),
        (f"run.{run.run_id}.life", b'{"messages": [{"type": "RunEnded"}]}'),
        (f"run.{run.run_id}.result.0", b'"\xff"'),
    ]
    async with reporting(bus, clickhouse_dsn) as reports:
        half = len(run.messages) // 2
        await publish(bus, run.messages[:half])
        for subject, data in bad:
            await bus.js.publish(subject, data)
        await publish(bus, run.messages[half:])
        events = events_of(run.messages)
        assert await reports.subscribers(run.run_id) == expected_statuses(run, events)
        naive = naive_numbers(run, events)
        assert (await reports.run(run.run_id)).report.model_dump(include=set(naive)) == naive
        assert reports.service.metrics().dead_letters == len(bad)
    kept = [letter async for letter in DeadLetterStream(bus.js).letters("reporting")]
    assert [(letter.origin.subject, letter.data) for letter in kept] == bad
    assert all(letter.reason and letter.origin.sequence for letter in kept)


async def test_the_log_is_acknowledged_when_the_rows_are_in(bus, clickhouse_dsn):
    run = synthetic_run(8)
    await keep_list(bus, run)
    async with reporting(bus, clickhouse_dsn) as reports:
        await publish(bus, run.messages)
        await reports.subscribers(run.run_id)
        async with asyncio.timeout(10):
            while (await bus.js.consumer_info("RUNS", "reporting")).ack_floor.stream_seq < len(run.messages):
                await asyncio.sleep(0.01)
        assert reports.service.metrics().lag_messages == 0


async def test_a_start_tries_again_while_the_log_does_not_answer(bus, clickhouse_dsn, monkeypatch):
    run = synthetic_run(5, subscribers=4, waves=2)
    await keep_list(bus, run)
    await publish(bus, run.messages)
    answered, refusals = NatsRunLog.end, [Unavailable("the server has changed")] * 2

    async def end(log):
        if refusals:
            raise refusals.pop()
        return await answered(log)

    monkeypatch.setattr(NatsRunLog, "end", end)
    async with reporting(bus, clickhouse_dsn) as reports:
        assert refusals == []
        report = (await reports.run(run.run_id)).report
        naive = naive_numbers(run, events_of(run.messages))
        assert report.model_dump(include=set(naive)) == naive
