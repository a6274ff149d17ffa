"""What a check says about a task, and the test call."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest

from cato_contracts.api.calling_hours import may_call_in_all
from cato_contracts.api.checks import CheckCode, CheckTask
from cato_contracts.api.resources import AudioWarning, SettingsSpec, TimeRestrictions
from cato_contracts.api.rules.hours import LocalTime, UnknownZone
from cato_contracts.errors import ConflictError, NotFoundError
from cato_contracts.messages.campaign_commands import (
    CallTester,
    ListFormat,
    RepeatUnreached,
    ReplaceSubscriberGroup,
)
from cato_contracts.objects import Bucket, ObjectRef
from cato_contracts.requests import Actor
from cato_dialer.campaign.domain.forecast import ListCounts, count_list, duration_bounds
from cato_dialer.campaign.domain.hours_forecast import forecast_hours
from cato_dialer.campaign.handlers.starts.kept_findings import KeptFindings
from cato_runtime.configuration.config import Config
from cato_runtime.process.tasks import end_tasks
from services.dialer.tests.support.campaign_world import (
    OTHER,
    USER,
    World,
    answer_from_memory,
    people,
    settings_spec,
    until,
)

SAME = json.dumps(
    [
        {"fullName": "Ivan", "phones": ["776413", "776450"]},
        {"fullName": "Ivan", "phones": ["776450", "776413"]},
        {"fullName": "Olga", "phones": ["776413"]},
        {"fullName": "Pavel", "phones": ["+12345"]},
    ]
).encode()


@pytest.fixture
def world() -> World:
    return World()


async def check(client, task, actor=USER):
    return await client.ask(CheckTask(actor=actor, id=task.id))


def codes(found):
    return {warning.code for warning in found.warnings}


async def test_a_check_counts_people_numbers_and_what_is_there_twice(world):
    async with world.running() as client:
        found = await check(client, await client.add_task([SAME, people(2)]))
    assert (found.subscribers, found.numbers, found.implausible_numbers) == (5, 5, 1)
    assert (found.duplicates.persons, found.duplicates.numbers) == (1, 1)
    assert found.channels == 5
    assert codes(found) == {
        CheckCode.REPEATED_PERSONS,
        CheckCode.SHARED_NUMBERS,
        CheckCode.IMPLAUSIBLE_NUMBERS,
    }


async def test_a_check_changes_nothing_and_calls_nobody(world):
    async with world.running() as client:
        task = await client.add_task([people(2)])
        before = await world.events.end([">"])
        await check(client, task)
        assert await world.events.end([">"]) == before
        assert await world.runs.end([">"]) == 0
        assert not world.queue.jobs


async def test_a_check_warns_of_what_would_refuse_or_delay_the_start(world):
    now = world.clock.now()
    closed = TimeRestrictions(
        from_hour=(now + timedelta(hours=2)).hour, till_hour=(now + timedelta(hours=3)).hour
    )
    async with world.running() as client:
        running = await client.add_task([people(2)])
        await client.start(running)
        assert codes(await check(client, running)) == {CheckCode.RUNNING}
        late = await client.add_task([people(400)], expires_at=now + timedelta(seconds=60))
        assert codes(await check(client, late)) == {CheckCode.TOO_SHORT}
        world.clock.ahead = timedelta(minutes=2)
        assert codes(await check(client, late)) == {CheckCode.EXPIRED}
        night = await client.add_task([people(2)], time_restrictions=closed, time_zone="UTC")
        found = await check(client, night)
        assert codes(found) == {CheckCode.OUT_OF_HOURS}
        assert not found.may_call_now
        assert found.next_change_at > now
        long = await client.add_task([people(2)], repeat_count=3, max_call_duration_s=2)
        file = client.audio.known[long.files[0]]
        client.audio.known[file.id] = file.model_copy(
            update={"warnings": [AudioWarning(code="too-quiet", message="the audio is quiet")]}
        )
        assert codes(await check(client, long)) == {CheckCode.CALL_TOO_SHORT, CheckCode.AUDIO}


async def test_without_channels_no_duration_is_given():
    world = World(Config())
    async with world.running() as client:
        found = await check(client, await client.add_task([people(2)]))
    assert (found.channels, found.shortest_s, found.longest_s) == (0, None, None)
    assert codes(found) == {CheckCode.NO_CHANNELS}


async def test_only_the_owner_checks_a_task(world):
    async with world.running() as client:
        task = await client.add_task([people(2)])
        assert (await check(client, task, Actor(user_id="chief", admin=True))).subscribers == 2
        with pytest.raises(NotFoundError):
            await check(client, task, OTHER)


@pytest.mark.parametrize(
    ("changes", "channels", "bounds"),
    [
        ({}, 10, (150, 700)),
        ({}, 1000, (15, 70)),
        ({"attempt_delay_s": 100}, 10, (150, 800)),
        ({"max_call_duration_s": 3}, 10, (80, 700)),
        ({"max_answer_delay_s": 0}, 10, (150, 1300)),
        ({"attempt_count": 1}, 10, (150, 350)),
    ],
)
def test_the_bounds_of_the_duration(changes, channels, bounds):
    counts = ListCounts(subscribers=100, numbers=90, dialled=100, repeated=0, shared=0, implausible=0)
    assert duration_bounds(counts, settings_spec(**changes), 10_000, channels) == bounds


def test_an_empty_list_is_counted():
    assert count_list([b"", b""]) == ListCounts(0, 0, 0, 0, 0, 0)
    assert isinstance(settings_spec(), SettingsSpec)


NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
"""17:30 in Kolkata, 13:00 in Berlin, 08:30 in St. John's, 02:00 in Kiritimati."""
ZONES = {("Asia/Kolkata",): 5, ("Europe/Berlin",): 3, (): 2}


def hours(when_unknown, at=NOON):
    settings = settings_spec(
        time_restrictions=TimeRestrictions(from_hour=9, till_hour=17),
        local_time=LocalTime(when_unknown=when_unknown),
    )
    return forecast_hours(settings, "America/St_Johns", ZONES, at)


def closed(found):
    return {each.time_zone: each.subscribers for each in found.out_of_hours}


def test_people_out_of_hours_are_counted_by_their_own_zones():
    found = hours(UnknownZone.DEFAULT)
    assert found.may_call
    assert closed(found) == {"Asia/Kolkata": 5, "America/St_Johns": 2}
    opens = {each.time_zone: each.opens_at for each in found.out_of_hours}
    assert opens["America/St_Johns"] == NOON + timedelta(minutes=30)
    assert opens["Asia/Kolkata"] == datetime(2026, 3, 5, 3, 30, tzinfo=UTC)
    # St. John's closes at 20:30, the last one of that day.
    assert found.next_change_at == datetime(2026, 3, 4, 20, 30, tzinfo=UTC)


def test_people_without_a_zone_are_counted_apart():
    assert closed(hours(UnknownZone.ALL_ZONES)) == {"Asia/Kolkata": 5, None: 2}
    skipping = hours(UnknownZone.SKIP)
    assert closed(skipping) == {"Asia/Kolkata": 5}
    assert skipping.skipped == 2


def test_without_local_time_everybody_has_the_hours_of_the_settings():
    settings = settings_spec(time_restrictions=TimeRestrictions(from_hour=9, till_hour=17))
    found = forecast_hours(settings, "Asia/Kolkata", ZONES, NOON)
    assert not found.may_call
    assert closed(found) == {"Asia/Kolkata": 10}
    assert found.next_change_at == datetime(2026, 3, 5, 3, 30, tzinfo=UTC)


async def test_a_check_warns_of_people_who_are_called_later_or_never(world):
    hour = world.clock.now().hour
    open_here = TimeRestrictions(from_hour=hour, till_hour=(hour + 2) % 24)
    mixed = json.dumps(
        [
            {"fullName": "Ivan", "phones": ["1001"], "timeZone": "Etc/UTC"},
            {"fullName": "Olga", "phones": ["1002"], "timeZone": "Etc/GMT+6"},
            {"fullName": "Pavel", "phones": ["1003"]},
        ]
    ).encode()
    skip = LocalTime(when_unknown=UnknownZone.SKIP)
    async with world.running() as client:
        found = await check(
            client, await client.add_task([mixed], time_restrictions=open_here, local_time=skip)
        )
    assert found.may_call_now
    assert codes(found) == {CheckCode.SOME_OUT_OF_HOURS, CheckCode.NO_TIME_ZONE}
    assert closed(found) == {"Etc/GMT+6": 1}
    assert found.without_time_zone == 1


async def over(world, task):
    tasks = world.deps().tasks

    async def at_rest():
        return (await tasks.load(task.id, USER)).running is None

    await until(at_rest)


async def test_a_test_call_calls_one_number_once_at_any_hour(world):
    async with world.running() as client:
        closed = TimeRestrictions(from_hour=1, till_hour=1, till_min=1)
        task = await client.add_task(
            [people(9)],
            attempt_count=5,
            time_restrictions=closed,
            excluded_dates=[(world.clock.now() + timedelta(days=days)).date() for days in (-1, 0, 1)],
            local_time=LocalTime(when_unknown=UnknownZone.SKIP),
            priority=-3,
        )
        started = await client.ask(CallTester(actor=USER, id=task.id, number="776413"), "key")
        run = (await world.deps().runs.load(started.task_exec_id)).snapshot
        assert (run.test, run.subscriber_count, run.priority) == (True, 1, 10)
        assert (run.settings.attempt_count, run.settings.time_restrictions) == (1, None)
        assert run.task_name == "t (test call)"
        assert may_call_in_all(run.settings, run.hours_zones, world.clock.now())
        assert run.settings.local_time is None
        (line,) = (await world.objects.get(run.subscribers)).splitlines()
        assert json.loads(line)["phones"] == ["776413"]
        with pytest.raises(ConflictError):
            await client.start(task)
        dialling = asyncio.create_task(answer_from_memory(world, lambda _: False))
        await over(world, task)
        assert await client.ask(CallTester(actor=USER, id=task.id, number="776413"), "key") == started
        with pytest.raises(ConflictError, match="not been started"):
            await client.ask(RepeatUnreached(actor=USER, id=task.id))
        await end_tasks(dialling)


async def test_a_list_is_read_once_for_its_checks_until_it_is_replaced(world, monkeypatch):
    read, get = [], world.objects.get

    async def noted(ref):
        read.append(ref.name)
        return await get(ref)

    async with world.running() as client:
        task = await client.add_task([people(2), SAME])
        monkeypatch.setattr(world.objects, "get", noted)
        first = await check(client, task)
        assert await check(client, task) == first
        assert len(read) == len(set(read)) == 2
        upload = await client.upload(people(7))
        await client.ask(
            ReplaceSubscriberGroup(actor=USER, id=task.groups[0], format=ListFormat.JSON, upload=upload)
        )
        assert (await check(client, task)).subscribers == first.subscribers + 5


def test_the_counts_of_the_lists_that_were_asked_for_last_are_kept():
    def of(number):
        return [ObjectRef(bucket=Bucket.LISTS, name=str(number), size=1)]

    kept = KeptFindings[ListCounts](64)
    counts = ListCounts(0, 0, 0, 0, 0, 0)
    for number in range(64):
        kept.keep(counts, of(number))
    assert kept.get(of(0), None) is counts
    assert kept.get(of(0), LocalTime()) is None
    kept.keep(counts, of(64))
    assert kept.get(of(0), None) is counts
    assert kept.get(of(1), None) is None
