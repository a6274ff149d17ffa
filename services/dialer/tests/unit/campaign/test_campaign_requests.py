"""The catalog's commands and queries, on a role in memory."""

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from cato_contracts.api.resources import StartResult, TaskSpec
from cato_contracts.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    PreconditionFailedError,
    TooLargeError,
)
from cato_contracts.messages.campaign_commands import (
    AddNotificationSettings,
    AddSubscriberGroup,
    AddTask,
    FindTasksUsingFile,
    GetNotificationSettings,
    GetSubscriberGroup,
    GetTask,
    ListFormat,
    ListNotificationSettings,
    ListSubscriberGroups,
    ListTasks,
    LocateSubscribers,
    PauseRun,
    RemoveNotificationSettings,
    RemoveSubscriberGroup,
    RemoveTask,
    ReplaceNotificationSettings,
    ReplaceSubscriberGroup,
    ReplaceTask,
    StartTask,
    StopRun,
)
from cato_contracts.messages.runs import RunSnapshot
from cato_contracts.objects import Bucket
from cato_runtime.configuration.config import Config
from services.dialer.tests.support.campaign_world import (
    ADMIN,
    NOW,
    OTHER,
    PROMPT,
    USER,
    World,
    ended,
    life_of,
    people,
    settings_spec,
    snapshot,
    until,
)
from tests.support.lists.direct_list_reader import DirectListReader


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
async def client(world):
    async with world.running() as client:
        yield client


async def test_settings_are_added_replaced_and_removed(client):
    added = await client.add_settings(name="first")
    assert await client.ask(GetNotificationSettings(actor=USER, id=added.id)) == added
    spec = settings_spec(name="second", attempt_count=7)
    replaced = await client.ask(ReplaceNotificationSettings(actor=USER, id=added.id, spec=spec))
    assert (replaced.id, replaced.name, replaced.attempt_count) == (added.id, "second", 7)
    assert await client.ask(RemoveNotificationSettings(actor=USER, id=added.id)) is None
    for request in (
        GetNotificationSettings(actor=USER, id=added.id),
        RemoveNotificationSettings(actor=USER, id=added.id),
        ReplaceNotificationSettings(actor=USER, id=added.id, spec=spec),
        GetNotificationSettings(actor=USER, id=uuid4()),
    ):
        with pytest.raises(NotFoundError):
            await client.ask(request)


async def test_a_repeated_command_gives_the_same_resource(client):
    command = AddNotificationSettings(actor=USER, spec=settings_spec())
    first = await client.ask(command, "key")
    assert await client.ask(command, "key") == first
    assert (await client.ask(command, "another")).id != first.id
    replace = ReplaceNotificationSettings(actor=USER, id=first.id, spec=settings_spec(name="y"))
    assert (await client.ask(replace, "key2")).name == "y"
    assert (await client.ask(replace, "key2")).name == "y"
    await client.ask(ReplaceNotificationSettings(actor=USER, id=first.id, spec=settings_spec(name="z")))
    assert (await client.ask(replace, "key2")).name == "z"
    for _ in range(2):
        await client.ask(RemoveNotificationSettings(actor=USER, id=first.id), "key3")


async def test_the_same_command_id_of_two_users_creates_two_resources(client):
    mine = await client.ask(AddNotificationSettings(actor=USER, spec=settings_spec()), "key")
    others = await client.ask(AddNotificationSettings(actor=OTHER, spec=settings_spec()), "key")
    assert mine.id != others.id


async def test_resources_of_other_users_are_not_found(client):
    settings = await client.add_settings()
    group = await client.add_group(people(1))
    task = await client.add_task([people(1)])
    upload = await client.upload(people(1))
    for request in (
        GetNotificationSettings(actor=OTHER, id=settings.id),
        RemoveNotificationSettings(actor=OTHER, id=settings.id),
        GetSubscriberGroup(actor=OTHER, id=group.id),
        LocateSubscribers(actor=OTHER, id=group.id),
        ReplaceSubscriberGroup(actor=OTHER, id=group.id, format=ListFormat.JSON, upload=upload),
        RemoveSubscriberGroup(actor=OTHER, id=group.id),
        GetTask(actor=OTHER, id=task.id),
        RemoveTask(actor=OTHER, id=task.id),
        StartTask(actor=OTHER, id=task.id),
    ):
        with pytest.raises(NotFoundError):
            await client.ask(request)
    assert await client.ask(GetTask(actor=ADMIN, id=task.id)) == task
    assert (await client.ask(ListTasks(actor=OTHER))).items == []
    assert (await client.ask(ListTasks(actor=ADMIN))).items == [task]


async def test_only_an_administrator_may_set_another_owner(client):
    spec = settings_spec()
    with pytest.raises(ForbiddenError):
        await client.ask(AddNotificationSettings(actor=USER, owner="other", spec=spec))
    own = await client.ask(AddNotificationSettings(actor=USER, owner="user", spec=spec))
    assert own.user_id == "user"
    others = await client.ask(AddNotificationSettings(actor=ADMIN, owner="other", spec=spec))
    assert others.user_id == "other"
    with pytest.raises(ForbiddenError):
        await client.ask(ReplaceNotificationSettings(actor=USER, id=own.id, owner="other", spec=spec))
    kept = await client.ask(ReplaceNotificationSettings(actor=ADMIN, id=own.id, spec=spec))
    assert kept.user_id == "user"


async def test_the_list_of_a_group_is_deleted_when_it_is_replaced_or_removed(client, world):
    group = await client.add_group(people(3), name="town")
    assert (group.name, group.subscriber_count, group.user_id) == ("town", 3, "user")
    first = await client.ask(LocateSubscribers(actor=USER, id=group.id))
    assert len((await world.objects.get(first)).splitlines()) == 3
    upload = await client.upload(b"fullName;phones\nA;1,2\n")
    command = ReplaceSubscriberGroup(actor=USER, id=group.id, format=ListFormat.CSV, upload=upload)
    for _ in range(2):
        assert (await client.ask(command, "key")).subscriber_count == 1
    second = await client.ask(LocateSubscribers(actor=USER, id=group.id))
    lists = [name for bucket, name in world.objects.objects if bucket is Bucket.LISTS]
    assert lists == [second.name]
    await client.ask(RemoveSubscriberGroup(actor=USER, id=group.id))
    assert not [name for bucket, name in world.objects.objects if bucket is Bucket.LISTS]


async def test_an_invalid_list_stores_nothing(client, world):
    before = dict(world.objects.objects)
    upload = await client.upload(b'[{"fullName": "A", "phones": "1"}, {"fullName": "B", "phones": ""}]')
    with pytest.raises(InvalidError, match="subscriber 1: phones"):
        await client.ask(AddSubscriberGroup(actor=USER, name="g", format=ListFormat.JSON, upload=upload))
    assert len(world.objects.objects) == len(before) + 1
    for name in ("", " ", "x" * 201):
        with pytest.raises(InvalidError, match="name: "):
            await client.ask(AddSubscriberGroup(actor=USER, name=name, format=ListFormat.JSON, upload=upload))
    assert (await client.ask(ListSubscriberGroups(actor=USER))).items == []


async def test_a_repeated_command_with_its_upload_under_another_name_adds_one_group(client):
    async def add(content: bytes):
        upload = await client.upload(content)
        command = AddSubscriberGroup(actor=USER, name="g", format=ListFormat.JSON, upload=upload)
        return await client.ask(command, "key")

    assert await add(people(2)) == await add(people(2))


async def test_a_group_over_the_configured_size_is_refused():
    world = World(Config.model_validate({"limits": {"groupSize": 3}}))
    async with world.running() as client:
        await client.add_group(people(3))
        with pytest.raises(TooLargeError):
            await client.add_group(people(4))


async def test_a_task_with_unknown_references_is_refused_and_each_is_named(client):
    task = await client.add_task([people(1)])
    settings, file, group = uuid4(), uuid4(), uuid4()
    spec = (await client.ask(GetTask(actor=USER, id=task.id))).model_dump(
        exclude={"id", "user_id", "version"}
    )
    bad = spec | {"settings": settings, "files": [file], "groups": [group, task.groups[0]]}
    for request in (
        AddTask(actor=USER, spec=bad),
        ReplaceTask(actor=USER, id=task.id, spec=bad),
    ):
        with pytest.raises(InvalidError) as refused:
            await client.ask(request)
        assert all(str(each) in refused.value.message for each in (settings, file, group))
        assert str(task.groups[0]) not in refused.value.message
    with pytest.raises(InvalidError):
        await client.ask(AddTask(actor=OTHER, spec=spec))
    backwards = spec | {"start_at": NOW, "expires_at": NOW}
    with pytest.raises(InvalidError, match="expiresAt"):
        await client.ask(AddTask(actor=USER, spec=backwards))


async def test_a_resource_that_a_task_uses_cannot_be_removed(client):
    task = await client.add_task([people(1)])
    for request in (
        RemoveNotificationSettings(actor=USER, id=task.settings),
        RemoveSubscriberGroup(actor=USER, id=task.groups[0]),
    ):
        with pytest.raises(ConflictError) as refused:
            await client.ask(request)
        assert refused.value.resource_id == str(task.id)
    upload = await client.upload(people(2))
    await client.ask(
        ReplaceSubscriberGroup(actor=USER, id=task.groups[0], format=ListFormat.JSON, upload=upload)
    )
    await client.ask(RemoveTask(actor=USER, id=task.id))
    await client.ask(RemoveNotificationSettings(actor=USER, id=task.settings))
    await client.ask(RemoveSubscriberGroup(actor=USER, id=task.groups[0]))


async def test_lists_are_paged_in_the_order_of_creation(client):
    added = [await client.add_settings(name=f"Storm {n}" if n % 2 else f"flood {n}") for n in range(7)]
    await client.ask(RemoveNotificationSettings(actor=USER, id=added[2].id))
    first = await client.ask(ListNotificationSettings(actor=USER, limit=4))
    assert first.items == [added[n] for n in (0, 1, 3, 4)]
    rest = await client.ask(ListNotificationSettings(actor=USER, limit=4, cursor=first.next_cursor))
    assert (rest.items, rest.next_cursor) == (added[5:], None)
    storms = await client.ask(ListNotificationSettings(actor=USER, name="storm", limit=2))
    assert storms.items == [added[1], added[3]]
    more = await client.ask(
        ListNotificationSettings(actor=USER, name="storm", limit=2, cursor=storms.next_cursor)
    )
    assert (more.items, more.next_cursor) == ([added[5]], None)
    for cursor in ("x", "", "%%%", "YWZ0ZXI6eA"):
        if cursor:
            with pytest.raises(InvalidError, match="cursor"):
                await client.ask(ListNotificationSettings(actor=USER, cursor=cursor))


async def test_a_run_keeps_its_resources_as_they_were_at_the_start(client, world):
    task = await client.add_task([people(3), people(3, start=2)], repeat_count=2, priority=4)
    run_id = await client.start(task)
    await client.ask(
        ReplaceNotificationSettings(actor=USER, id=task.settings, spec=settings_spec(attempt_count=9))
    )
    started = (await life_of(world.runs, run_id))[0]
    kept = RunSnapshot.model_validate(started["body"]["snapshot"])
    assert (kept.subscriber_count, kept.settings.attempt_count, kept.priority) == (5, 2, 4)
    assert kept.time_zone == "Europe/Moscow"
    assert (kept.prompt.duration_ms, kept.prompt.repeat_count) == (2000, 2)
    audio = await world.objects.get(kept.prompt.audio)
    assert audio == PROMPT
    assert kept.prompt.audio.name == f"run/{hashlib.sha256(audio).hexdigest()}"


async def test_a_repeated_start_answers_with_the_same_run(client, world):
    task = await client.add_task([people(1)])
    first = await client.start(task, "key")
    assert await client.start(task, "key") == first
    with pytest.raises(ConflictError) as refused:
        await client.start(task, "another key")
    assert refused.value.resource_id == str(first)
    await client.ask(StopRun(actor=USER, id=first))
    await until(lambda: ended(world.runs, first))
    assert await client.start(task, "key") == first


async def test_of_concurrent_starts_one_succeeds(client):
    task = await client.add_task([people(1)])
    results = await asyncio.gather(*(client.start(task) for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(result, ConflictError) for result in results) == 4


async def test_the_coordinator_creates_a_run_whose_start_was_only_decided():
    world = World()
    async with world.running() as client:
        task = await client.add_task([people(1)])
    decided = snapshot(0, task_id=task.id)
    await world.deps().tasks.execute(
        task.id, "key", lambda task: task.start(decided, command_id="key", timestamp=datetime.now(UTC))
    )
    async with world.running() as client:
        await until(lambda: ended(world.runs, decided.run_id))
        assert await client.start(task, "key") == decided.run_id
    messages = await life_of(world.runs, decided.run_id)
    assert [message["type"] for message in messages] == ["RunStarted", "RunEnded"]


async def test_a_start_without_channels_starts_no_run():
    world = World(Config())
    async with world.running() as client:
        task = await client.add_task([people(1)])
        started = await client.ask(StartTask(actor=USER, id=task.id))
    assert (started.task_exec_id, started.result) == (None, StartResult.FAIL_NO_CHANNELS)


async def test_a_running_task_cannot_be_removed_and_an_expired_task_cannot_be_started(client, world):
    task = await client.add_task([people(1)])
    run_id = await client.start(task)
    with pytest.raises(ConflictError) as refused:
        await client.ask(RemoveTask(actor=USER, id=task.id))
    assert refused.value.resource_id == str(run_id)
    late = await client.add_task([people(1)], expires_at=world.clock.now() - timedelta(seconds=1))
    with pytest.raises(ConflictError, match="expired"):
        await client.start(late)


async def test_a_task_with_a_missing_audio_file_cannot_be_started(client):
    task = await client.add_task([people(1)])
    client.audio.known.clear()
    with pytest.raises(ConflictError, match="cannot be started"):
        await client.start(task)


async def test_runs_of_other_users_are_not_found(client):
    run_id = await client.start(await client.add_task([people(1)]))
    for request in (PauseRun(actor=OTHER, id=run_id), StopRun(actor=USER, id=uuid4())):
        with pytest.raises(NotFoundError):
            await client.ask(request)
    await client.ask(PauseRun(actor=USER, id=run_id), "key")
    await client.ask(PauseRun(actor=USER, id=run_id), "key")
    with pytest.raises(NotFoundError):
        await client.ask(PauseRun(actor=OTHER, id=run_id), "key")


async def test_a_command_id_that_is_not_visible_ascii_is_refused(client):
    for key in ("a b", "x" * 201):
        with pytest.raises(InvalidError):
            await client.ask(AddNotificationSettings(actor=USER, spec=settings_spec()), key)


async def test_the_subjects_of_aggregates_never_change(client, world):
    task = await client.add_task([people(1)])
    run_id = await client.start(task)
    for subject in (f"ev.task.{task.id}", f"ev.subscriber-group.{task.groups[0]}"):
        assert await world.events.last(subject) is not None
    assert await world.events.last(f"ev.notification-settings.{task.settings}") is not None
    assert await world.runs.last(f"run.{run_id}.life") is not None


async def test_tasks_that_use_a_file_are_found_for_users_who_may_see_them(client):
    task = await client.add_task([people(1)])
    (file_id,) = set(task.files)
    assert await client.ask(FindTasksUsingFile(actor=USER, file_id=file_id)) == [task.id]
    assert await client.ask(FindTasksUsingFile(actor=ADMIN, file_id=file_id)) == [task.id]
    assert await client.ask(FindTasksUsingFile(actor=OTHER, file_id=file_id)) == []
    assert await client.ask(FindTasksUsingFile(actor=USER, file_id=uuid4())) == []
    await client.ask(RemoveTask(actor=USER, id=task.id))
    assert await client.ask(FindTasksUsingFile(actor=USER, file_id=file_id)) == []


async def test_a_change_for_another_version_is_refused(client):
    settings = await client.add_settings(name="first")
    group = await client.add_group(people(1))
    task = await client.add_task([people(1)])
    upload = await client.upload(people(2))
    spec = settings_spec(name="second")
    task_spec = TaskSpec.model_validate(task.model_dump(exclude={"id", "user_id", "version"}))
    for kept, change in (
        (settings, ReplaceNotificationSettings(actor=USER, id=settings.id, spec=spec)),
        (group, ReplaceSubscriberGroup(actor=USER, id=group.id, format=ListFormat.JSON, upload=upload)),
        (task, ReplaceTask(actor=USER, id=task.id, spec=task_spec)),
    ):
        matching = change.model_copy(update={"if_version": [99, kept.version]})
        changed = await client.ask(matching, f"key-{kept.id}")
        assert changed.version > kept.version
        assert await client.ask(matching, f"key-{kept.id}") == changed
        for stale in ([kept.version], []):
            with pytest.raises(PreconditionFailedError):
                await client.ask(change.model_copy(update={"if_version": stale}))
    with pytest.raises(PreconditionFailedError):
        await client.ask(RemoveTask(actor=USER, id=task.id, if_version=[task.version]))
    assert (await client.ask(GetTask(actor=USER, id=task.id))).version == 2


async def test_of_concurrent_changes_of_one_version_one_succeeds(client):
    settings = await client.add_settings(name="first")

    async def change(no):
        spec = settings_spec(name=f"change {no}")
        command = ReplaceNotificationSettings(
            actor=USER, id=settings.id, spec=spec, if_version=[settings.version]
        )
        try:
            return (await client.ask(command)).name
        except PreconditionFailedError:
            return None

    made = [name for name in await asyncio.gather(*(change(no) for no in range(10))) if name]
    assert len(made) == 1
    assert (await client.ask(GetNotificationSettings(actor=USER, id=settings.id))).name == made[0]


async def test_a_command_that_is_repeated_while_its_list_is_read_reads_it_once_l10():
    world = World()
    reading, go_on, orders = asyncio.Event(), asyncio.Event(), []

    class SlowListReader(DirectListReader):
        async def read(self, source, target, order, *, deadline=None):
            orders.append(order)
            reading.set()
            await go_on.wait()
            return await super().read(source, target, order, deadline=deadline)

    world.list_reader = SlowListReader()
    async with world.running() as client:
        upload = await client.upload(people(2))
        command = AddSubscriberGroup(actor=USER, name="g", format=ListFormat.JSON, upload=upload)
        asked = [asyncio.create_task(client.ask(command, "key")) for _ in range(2)]
        await reading.wait()
        go_on.set()
        first, second = await asyncio.gather(*asked)
    assert first == second
    assert len(orders) == 1


async def test_a_task_whose_groups_are_empty_cannot_be_started_l6(world, client):
    task = await client.add_task([people(1)])
    group = await client.ask(LocateSubscribers(actor=USER, id=task.groups[0]))
    await world.objects.remove(group)
    await world.objects.put(group.bucket, group.name, b"")  # as earlier versions stored it
    with pytest.raises(ConflictError, match="its groups have no subscribers"):
        await client.start(task)
