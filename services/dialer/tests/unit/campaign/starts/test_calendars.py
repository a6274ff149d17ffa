"""Public holidays and the zones of numbers, in settings, checks and starts."""

import json
from datetime import UTC, date, datetime

import pytest

from cato_contracts.api.calling_hours import may_call
from cato_contracts.api.checks import CheckTask
from cato_contracts.api.rules.hours import LocalTime
from cato_contracts.errors import InvalidError
from cato_contracts.messages.campaign_commands import CallTester
from cato_dialer.campaign.adapters.calendars import Calendars
from services.dialer.tests.support.campaign_world import USER, World, people, until

BY_NUMBER = LocalTime.model_validate({"detect": ["SUBSCRIBER", "NUMBER"], "when_unknown": "SKIP"})
MIXED = json.dumps(
    [
        {"fullName": "Anand", "phones": ["+91 98765 43210"]},
        {"fullName": "Berta", "phones": ["+49 30 12345678", "+7 495 123-45-67"]},
        {"fullName": "Clara", "phones": ["+49 30 12345678"], "timeZone": "America/St_Johns"},
        {"fullName": "Dora", "phones": ["776413"]},
    ]
).encode()


def test_holidays_and_zones_are_those_of_the_libraries():
    calendars = Calendars()
    assert date(2026, 5, 9) in calendars.holidays("RU", [2026])
    assert date(2026, 1, 6) in calendars.holidays("DE-BY", [2026])
    assert date(2026, 1, 6) not in calendars.holidays("DE", [2026])
    known = [calendars.is_known(name) for name in ("RU", "DE-BY", "DE-XX", "XX")]
    assert known == [True, True, False, False]
    assert calendars.zones_of("+74951234567") == ("Europe/Moscow",)
    # A mobile number may be anywhere in the country.
    assert {"Europe/Moscow", "Asia/Kamchatka"} < set(calendars.zones_of("+79161234567"))
    assert [calendars.zones_of(number) for number in ("776413", "+1", "*100#", "+80012345678")] == [()] * 4


async def test_settings_name_a_country_that_has_holidays():
    async with World().running() as client:
        assert (await client.add_settings(holidays="RU")).holidays == "RU"
        with pytest.raises(InvalidError, match="such as RU"):
            await client.add_settings(holidays="XX")


async def test_a_run_has_the_holidays_of_the_year_ahead_and_a_test_call_none():
    world = World()
    async with world.running() as client:
        own = date(world.clock.now().year + 1, 3, 3)
        task = await client.add_task([people(1)], holidays="RU", excluded_dates=[own])
        tested = await client.ask(CallTester(actor=USER, id=task.id, number="776413"))
        settings = (await world.deps().runs.load(tested.task_exec_id)).snapshot.settings
        assert (settings.holidays, settings.excluded_dates) == (None, [])
        task = await client.add_task([people(1)], holidays="RU", excluded_dates=[own])
        run = (await world.deps().runs.load(await client.start(task))).snapshot
    victory = date(own.year, 5, 9)
    assert {own, victory} <= set(run.settings.excluded_dates)
    assert not may_call(run.settings, "UTC", datetime(own.year, 5, 9, 12, tzinfo=UTC))


async def test_people_are_called_in_all_zones_of_their_numbers():
    world = World()
    async with world.running() as client:
        task = await client.add_task([MIXED], local_time=BY_NUMBER)
        found = await client.ask(CheckTask(actor=USER, id=task.id))
        assert (found.subscribers, found.without_time_zone) == (4, 1)
        run = (await world.deps().runs.load(await client.start(task))).snapshot
        lines = [json.loads(line) for line in (await world.objects.get(run.subscribers)).splitlines()]
        assert [line.get("zones") for line in lines] == [
            ["Asia/Calcutta"],
            ["Europe/Berlin", "Europe/Moscow"],
            ["Europe/Berlin"],
            None,
        ]
        assert run.zones == ["America/St_Johns", "Asia/Calcutta", "Europe/Berlin", "Europe/Moscow"]

        async def queued() -> bool:
            return len(world.queue.jobs) == 3

        await until(queued)
        zones = {job.subscriber.full_name: job.hours_zones for job in world.queue.jobs.values()}
        assert zones == {
            "Anand": ["Asia/Calcutta"],
            "Berta": ["Europe/Berlin", "Europe/Moscow"],
            "Clara": ["America/St_Johns"],
        }
