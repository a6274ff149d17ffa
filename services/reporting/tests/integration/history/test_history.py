"""The history of calls through the real log and the real engine: lists, single calls, statistics."""

from datetime import timedelta
from itertools import pairwise
from uuid import UUID, uuid4

import pytest

from cato_contracts.api.history import CallOutcome, Grouping
from cato_contracts.api.status import CallEventView
from cato_contracts.errors import InvalidError, NotFoundError
from cato_contracts.instants import unix_ms
from cato_contracts.requests import Actor
from cato_reporting.domain.wording import event_data, event_name, event_status
from services.reporting.tests.history_reference import expected_calls, expected_statistics, place
from services.reporting.tests.reporting_system import publish, reporting
from tests.support.synthetic_runs import BEGIN, STATION, synthetic_run

STRANGER = Actor(user_id="somebody")
ADMIN = Actor(user_id="somebody", admin=True)


def events_of(*runs):
    return [event for run in runs for sent in run.messages for event in sent.events]


async def publish_runs(bus, *runs):
    for run in runs:
        await publish(bus, run.messages)


async def test_the_history_has_every_call_as_its_events_say(bus, clickhouse_dsn):
    runs = [synthetic_run(seed, subscribers=8, waves=2, lost_ends=True) for seed in (1, 2)]
    async with reporting(bus, clickhouse_dsn) as reports:
        await publish_runs(bus, *runs)
        expected = expected_calls(events_of(*runs))
        assert await reports.all_calls() == expected
        assert await reports.all_calls(limit=3) == expected
        assert any(record.digits for record in expected)
        assert any(record.ended_at is None for record in expected)


async def test_a_call_is_in_the_history_as_soon_as_its_events_are_in_the_log(bus, clickhouse_dsn):
    run = synthetic_run(3, subscribers=4, waves=2)
    async with reporting(bus, clickhouse_dsn) as reports:
        for end in range(1, len(run.messages) + 1, 9):
            await publish(bus, run.messages[max(0, end - 9) : end])
            seen = [event for sent in run.messages[:end] for event in sent.events]
            assert await reports.all_calls() == expected_calls(seen)


async def test_calls_are_found_by_each_condition_and_by_all_together(bus, clickhouse_dsn):
    runs = [
        synthetic_run(seed, subscribers=5, waves=2, lost_ends=True, begin=BEGIN + timedelta(days=20 * seed))
        for seed in (1, 2, 3)
    ]
    async with reporting(bus, clickhouse_dsn) as reports:
        await publish_runs(bus, *runs)
        every = expected_calls(events_of(*runs))
        middle = every[len(every) // 2]
        named = next(record for record in every if record.sip_call_id)
        same = [record for record in every if record.sip_call_id == named.sip_call_id]
        assert await reports.all_calls(sip_call_id=named.sip_call_id) == same
        assert await reports.all_calls(sip_call_id=named.sip_call_id, number="1") == []

        async def found(**where):
            return await reports.all_calls(limit=4, **where)

        assert await found(number=middle.number) == [each for each in every if each.number == middle.number]
        assert await found(run_id=middle.task_exec_id) == [
            each for each in every if each.task_exec_id == middle.task_exec_id
        ]
        assert await found(since=middle.started_at) == [
            each for each in every if each.started_at >= middle.started_at
        ]
        assert await found(until=middle.started_at) == [
            each for each in every if each.started_at < middle.started_at
        ]
        assert await found(since=middle.started_at + timedelta(microseconds=1)) == [
            each for each in every if each.started_at > middle.started_at
        ]
        for outcome in CallOutcome:
            assert await found(outcome=outcome) == [each for each in every if each.outcome is outcome]
        assert await found(station_id=STATION) == [each for each in every if each.station_id == STATION]
        assert await found(station_id=uuid4()) == []
        assert await found(number="nobody's") == []
        assert await found(run_id=uuid4()) == []
        assert await found(
            number=middle.number,
            run_id=middle.task_exec_id,
            since=middle.started_at,
            until=middle.started_at + timedelta(milliseconds=1),
            station_id=middle.station_id,
            outcome=middle.outcome,
        ) == [middle]


async def test_pages_neither_repeat_nor_skip_calls_while_new_calls_come(bus, clickhouse_dsn):
    early, late = synthetic_run(4, subscribers=6), synthetic_run(5, subscribers=6, begin=BEGIN + timedelta(1))
    async with reporting(bus, clickhouse_dsn) as reports:
        await publish_runs(bus, early)
        pieces = iter(range(0, len(late.messages), 10))
        items = []
        cursor = None
        while True:
            page = await reports.calls(limit=3, cursor=cursor)
            items += page.items
            cursor = page.next_cursor
            if cursor is None:
                break
            begin = next(pieces, None)
            if begin is not None:
                await publish(bus, late.messages[begin : begin + 10])
        assert items == expected_calls(events_of(early))
        assert all(place(one) > place(other) for one, other in pairwise(items))


@pytest.mark.parametrize(
    "cursor", ["", "x", "1", "1.2", f"-1.{UUID(int=1)}", f"999999999999999.{UUID(int=1)}", f"1.{'-' * 36}"]
)
async def test_a_foreign_cursor_is_rejected(bus, clickhouse_dsn, cursor):
    async with reporting(bus, clickhouse_dsn) as reports:
        with pytest.raises(InvalidError, match="cursor"):
            await reports.calls(cursor=cursor)


async def test_one_call_is_shown_with_its_events(bus, clickhouse_dsn):
    run = synthetic_run(6, subscribers=4)
    async with reporting(bus, clickhouse_dsn) as reports:
        await publish_runs(bus, run)
        for record in expected_calls(events_of(run)):
            detail = await reports.call(record.id)
            assert detail.model_dump(exclude={"events"}) == record.model_dump()
            happened = [each for each in events_of(run) if getattr(each.body, "seq", None) is not None]
            assert detail.events == [
                CallEventView(
                    time=unix_ms(each.occurred_at),
                    name=event_name(each.body),
                    status=event_status(each.body),
                    data=event_data(each.body),
                )
                for each in happened
                if each.body.call_id == record.id
            ]
        with pytest.raises(NotFoundError):
            await reports.call(uuid4())


async def test_only_an_admin_sees_calls_of_other_peoples_runs(bus, clickhouse_dsn):
    run, other = synthetic_run(7), synthetic_run(8, user_id="somebody")
    async with reporting(bus, clickhouse_dsn) as reports:
        await publish_runs(bus, run, other)
        own, foreign = expected_calls(events_of(run)), expected_calls(events_of(other))
        assert await reports.all_calls() == own
        assert await reports.all_calls(actor=STRANGER) == foreign
        assert await reports.all_calls(actor=ADMIN) == expected_calls(events_of(run, other))
        assert await reports.all_calls(run_id=other.run_id) == []
        assert await reports.all_calls(number=own[0].number, actor=STRANGER) == [
            each for each in foreign if each.number == own[0].number
        ]
        with pytest.raises(NotFoundError):
            await reports.call(foreign[0].id)
        assert (await reports.call(foreign[0].id, actor=ADMIN)).id == foreign[0].id
        assert (await reports.statistics(Grouping.OUTCOME)).total.attempts == len(own)
        everything = await reports.statistics(Grouping.OUTCOME, actor=ADMIN)
        assert everything.total.attempts == len(own) + len(foreign)


async def assert_statistics(reports, records, group_by, zone="Europe/Moscow", among=None, **where):
    answer = await reports.statistics(group_by, time_zone=zone, **where)
    groups, total = expected_statistics(records, group_by, zone, among)
    assert [each.key for each in answer.groups] == [each.key for each in groups]
    for one, other in zip([*answer.groups, answer.total], [*groups, total], strict=True):
        assert one.model_dump() == pytest.approx(other.model_dump(), nan_ok=False)


@pytest.mark.parametrize("group_by", list(Grouping))
async def test_statistics_are_those_of_the_calls(bus, clickhouse_dsn, group_by):
    runs = [
        synthetic_run(seed, subscribers=7, waves=3, lost_ends=True, begin=BEGIN + timedelta(hours=15 * seed))
        for seed in (9, 10, 11)
    ]
    async with reporting(bus, clickhouse_dsn) as reports:
        await publish_runs(bus, *runs)
        records = expected_calls(events_of(*runs))
        await assert_statistics(reports, records, group_by)
        succeeded = [each for each in records if each.outcome is CallOutcome.SUCCEEDED]
        await assert_statistics(reports, succeeded, group_by, among=records, outcome=CallOutcome.SUCCEEDED)
        number = records[0].number
        await assert_statistics(
            reports,
            [each for each in records if each.number == number],
            group_by,
            among=records,
            number=number,
        )
        middle = records[len(records) // 2].started_at
        await assert_statistics(
            reports,
            [each for each in records if each.started_at < middle],
            group_by,
            among=records,
            until=middle,
        )
        await assert_statistics(reports, [], group_by, run_id=uuid4())
