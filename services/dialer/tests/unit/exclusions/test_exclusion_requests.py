"""Requests about exclusion lists: who may do what, what is stored, and what a run takes from it."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from cato_contracts.api.rules.exclusions import Exclusion, ExclusionChoice, ExclusionList, ExclusionScope
from cato_contracts.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    InvalidListError,
    NotFoundError,
    TooLargeError,
)
from cato_contracts.messages.campaign_commands import AddTask, ListFormat, ReplaceTask
from cato_contracts.messages.exclusion_commands import (
    AddExclusionList,
    ExcludeNumber,
    GetExcludedNumber,
    GetExclusionList,
    ListExcludedNumbers,
    ListExclusionLists,
    ReadmitNumber,
    RemoveExclusionList,
)
from cato_contracts.requests import Actor
from cato_runtime.configuration.config import Config
from services.dialer.tests.support.campaign_world import ADMIN, CONFIG, OTHER, USER, Client, World, people

JSON = b'[{"number": "8 343 720-00-41", "reason": "asked"}, {"number": "776413"}]'
CSV = b"number;expires_at\n+7 (343) 720-00-41;2027-05-09T00:00:00Z\n776413;\n"
EMERGENCY = Actor(user_id="user", emergency=True)


async def added(
    client: Client,
    content: bytes = JSON,
    form: ListFormat = ListFormat.JSON,
    actor: Actor = USER,
    scope: ExclusionScope = ExclusionScope.USER,
) -> ExclusionList:
    upload = await client.upload(content)
    command = AddExclusionList(actor=actor, name="x", scope=scope, format=form, upload=upload)
    found: ExclusionList = await client.ask(command)
    return found


@pytest.mark.parametrize(("content", "form"), [(JSON, ListFormat.JSON), (CSV, ListFormat.CSV)])
async def test_a_list_has_its_numbers_in_the_form_that_they_are_compared_by(content, form):
    async with World().running() as client:
        stored = await added(client, content, form)
        assert stored.number_count == 2
        page = await client.ask(ListExcludedNumbers(actor=USER, id=stored.id))
        assert [one.number for one in page.items] == ["776413", "+73437200041"]
        assert (page.items[1].expires_at is None) == (form is ListFormat.JSON)


async def test_a_list_is_read_in_pages():
    async with World().running() as client:
        stored = await added(client, b"[%s]" % b",".join(b'{"number": "%d"}' % n for n in range(100, 105)))
        seen, cursor = [], None
        while True:
            page = await client.ask(ListExcludedNumbers(actor=USER, id=stored.id, limit=2, cursor=cursor))
            seen += [one.number for one in page.items]
            if (cursor := page.next_cursor) is None:
                break
        assert seen == ["100", "101", "102", "103", "104"]
        with pytest.raises(InvalidError, match="cursor"):
            await client.ask(ListExcludedNumbers(actor=USER, id=stored.id, cursor="x y"))


async def test_faults_of_a_list_are_all_told_and_nothing_is_stored():
    async with World().running() as client:
        with pytest.raises(InvalidListError, match="number") as caught:
            await added(client, b'[{"number": "x"}, {"number": "100", "reason": 7}, {"reason": "y"}]')
        assert caught.value.fault_count == 3
        for content in (b"name\n100\n", b""):
            with pytest.raises(InvalidError):
                await added(client, content, ListFormat.CSV)
        assert (await client.ask(ListExclusionLists(actor=USER))).items == []


async def test_a_list_that_is_too_long_is_refused():
    limits = CONFIG.limits.model_copy(update={"exclusion_list_size": 1})
    async with World(Config(stations=CONFIG.stations, limits=limits)).running() as client:
        with pytest.raises(TooLargeError, match="at most 1"):
            await added(client)


async def test_numbers_are_put_on_a_list_and_taken_off():
    async with World().running() as client:
        stored = await added(client)
        expires = datetime(2027, 5, 9, tzinfo=UTC)
        exclusion = Exclusion(number="100", reason="asked", expires_at=expires)
        call_id = uuid4()
        command = ExcludeNumber(actor=USER, id=stored.id, exclusion=exclusion, call_id=call_id)
        shown = await client.ask(command, "put")
        assert (shown.number, shown.reason, shown.expires_at, shown.call_id) == (
            "100",
            "asked",
            expires,
            call_id,
        )
        assert await client.ask(command, "put") == shown
        after = await client.ask(GetExclusionList(actor=USER, id=stored.id))
        assert (after.number_count, after.version) == (3, stored.version + 1)
        assert shown in (await client.ask(ListExcludedNumbers(actor=USER, id=stored.id))).items
        assert await client.ask(GetExcludedNumber(actor=USER, id=stored.id, number="100")) == shown
        found = await client.ask(GetExcludedNumber(actor=USER, id=stored.id, number="8 343 720-00-41"))
        assert found.number == "+73437200041"
        await client.ask(ReadmitNumber(actor=USER, id=stored.id, number="+7 343 7200041"))
        for missing in ("+73437200041", "101"):
            with pytest.raises(NotFoundError, match="not on"):
                await client.ask(GetExcludedNumber(actor=USER, id=stored.id, number=missing))
        with pytest.raises(InvalidError, match="number"):
            await client.ask(GetExcludedNumber(actor=USER, id=stored.id, number="x"))
        with pytest.raises(NotFoundError, match="not on"):
            await client.ask(ReadmitNumber(actor=USER, id=stored.id, number="+73437200041"))
        assert (await client.ask(GetExclusionList(actor=USER, id=stored.id))).number_count == 2


async def test_a_list_of_the_system_is_seen_by_all_and_changed_by_administrators():
    async with World().running() as client:
        with pytest.raises(ForbiddenError, match="administrator"):
            await added(client, scope=ExclusionScope.SYSTEM)
        system = await added(client, actor=ADMIN, scope=ExclusionScope.SYSTEM)
        own = await added(client)
        for actor, seen in ((USER, [system.id, own.id]), (OTHER, [system.id])):
            found = await client.ask(ListExclusionLists(actor=actor))
            assert [one.id for one in found.items] == seen
        exclude = {"id": system.id, "exclusion": Exclusion(number="100")}
        for command in (
            ExcludeNumber(actor=USER, **exclude),
            ReadmitNumber(actor=USER, id=system.id, number="776413"),
            RemoveExclusionList(actor=USER, id=system.id),
        ):
            with pytest.raises(ForbiddenError, match="administrator"):
                await client.ask(command)
        with pytest.raises(NotFoundError):
            await client.ask(ListExcludedNumbers(actor=OTHER, id=own.id))
        await client.ask(ExcludeNumber(actor=ADMIN, **exclude))


async def test_a_list_that_a_task_names_stays():
    async with World().running() as client:
        stored = await added(client)
        task = await client.add_task([people(1)])
        spec = task.model_dump(exclude={"id", "user_id", "version"})
        await client.ask(ReplaceTask(actor=USER, id=task.id, spec=spec | {"exclusion_lists": [stored.id]}))
        with pytest.raises(ConflictError, match="used by the task"):
            await client.ask(RemoveExclusionList(actor=USER, id=stored.id))
        await client.ask(ReplaceTask(actor=USER, id=task.id, spec=spec))
        await client.ask(RemoveExclusionList(actor=USER, id=stored.id))
        with pytest.raises(NotFoundError):
            await client.ask(GetExclusionList(actor=USER, id=stored.id))
        with pytest.raises(InvalidError, match="there is no exclusion list"):
            await client.ask(AddTask(actor=USER, spec=spec | {"exclusion_lists": [stored.id]}))


async def test_only_for_an_emergency_excluded_numbers_are_called():
    world = World()
    async with world.running() as client:
        task = await client.add_task([people(1)])
        spec = task.model_dump(exclude={"id", "user_id", "version"}) | {"ignore_exclusions": True}
        with pytest.raises(ForbiddenError, match="emergency"):
            await client.ask(ReplaceTask(actor=USER, id=task.id, spec=spec))
        urgent = await client.ask(AddTask(actor=EMERGENCY, spec=spec))
        await client.start(urgent)
        await client.start(task)
        while len(world.queue.jobs) < 2:
            await world.queue.arrived.wait()
            world.queue.arrived.clear()
        choices = [job.exclusions for job in world.queue.jobs.values()]
        assert ExclusionChoice(user_id="user", ignore=True) in choices
        assert None in choices  # all of the user


async def test_only_for_an_emergency_limits_of_contacts_are_ignored():
    world = World()
    async with world.running() as client:
        task = await client.add_task([people(1)])
        spec = task.model_dump(exclude={"id", "user_id", "version"}) | {"ignore_contact_limits": True}
        with pytest.raises(ForbiddenError, match="emergency"):
            await client.ask(ReplaceTask(actor=USER, id=task.id, spec=spec))
        await client.start(await client.ask(AddTask(actor=EMERGENCY, spec=spec)))
        while not world.queue.jobs:
            await world.queue.arrived.wait()
            world.queue.arrived.clear()
        assert [job.ignore_contact_limits for job in world.queue.jobs.values()] == [True]
