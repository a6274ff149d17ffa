"""What a call plays is stored once, and bounded as a whole."""

from collections.abc import AsyncIterator

import pytest

from cato_contracts.api.resources import TaskSpec
from cato_contracts.errors import ConflictError, InvalidError
from cato_contracts.messages.campaign_commands import AddTask, ReplaceNotificationSettings, ReplaceTask
from cato_contracts.messages.runs import RunSnapshot
from cato_contracts.objects import Bucket
from cato_runtime.configuration.config import LimitsConfig
from services.dialer.tests.support.campaign_world import (
    CONFIG,
    USER,
    Client,
    World,
    life_of,
    people,
    settings_spec,
)

MINUTE = b"\x55" * 8000 * 60


@pytest.fixture
async def world() -> World:
    return World(CONFIG.model_copy(update={"limits": LimitsConfig(audio_seconds=150)}))


@pytest.fixture
async def client(world: World) -> AsyncIterator[Client]:
    async with world.running() as client:
        yield client


async def spec(client: Client, files: int, repeat_count: int) -> TaskSpec:
    settings = await client.add_settings(repeat_count=repeat_count)
    group = await client.add_group(people(1))
    ids = [(await client.add_file(MINUTE)).id for _ in range(files)]
    return TaskSpec(name="t", settings=settings.id, files=ids, groups=[group.id])


async def test_l11_a_task_that_would_play_too_long_is_refused(client: Client) -> None:
    for files, repeat_count in ((3, 1), (1, 3), (60, 10)):
        with pytest.raises(InvalidError, match=rf"lasts {files * repeat_count * 60} s.* at most 150 s"):
            await client.ask(AddTask(actor=USER, spec=await spec(client, files, repeat_count)))
    task = await client.ask(AddTask(actor=USER, spec=await spec(client, 1, 2)))
    with pytest.raises(InvalidError, match="lasts 240 s, 2 times 120 s"):
        await client.ask(ReplaceTask(actor=USER, id=task.id, spec=await spec(client, 2, 2)))


async def test_l11_a_start_after_a_change_of_the_settings_is_refused(client: Client) -> None:
    task = await client.ask(AddTask(actor=USER, spec=await spec(client, 1, 2)))
    await client.ask(
        ReplaceNotificationSettings(actor=USER, id=task.settings, spec=settings_spec(repeat_count=3))
    )
    with pytest.raises(ConflictError, match=r"cannot be started: .* lasts 180 s"):
        await client.start(task)


async def test_l11_the_prompt_is_stored_once(client: Client, world: World) -> None:
    task = await client.ask(AddTask(actor=USER, spec=await spec(client, 1, 2)))
    run_id = await client.start(task)
    started = (await life_of(world.runs, run_id))[0]
    prompt = RunSnapshot.model_validate(started["body"]["snapshot"]).prompt
    assert (prompt.audio.size, prompt.duration_ms, prompt.repeat_count) == (len(MINUTE), 120_000, 2)
    stored = [
        len(content) for (bucket, _), content in world.objects.objects.items() if bucket is Bucket.PROMPTS
    ]
    assert sum(stored) == 2 * len(MINUTE)  # the file and the prompt of the run
