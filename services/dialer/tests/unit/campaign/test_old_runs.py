"""Runs that have left the log, as the campaign role sees them."""

import asyncio
from datetime import timedelta

import pytest

from cato_contracts.errors import ConflictError, NotFoundError
from cato_contracts.messages.campaign_commands import GetTask, PauseRun, ResumeRun, StopRun
from cato_contracts.objects import Bucket
from cato_contracts.subjects import archived_life, run_life
from cato_runtime.configuration.config import RetentionConfig
from services.dialer.tests.support.campaign_world import (
    CONFIG,
    OTHER,
    USER,
    World,
    answer_from_memory,
    ended,
    life_of,
    people,
    until,
)


async def one_run(world, client, task):
    """Start the task; return when its run is over and the task can be started again."""
    dialling = asyncio.create_task(answer_from_memory(world, lambda job: True))
    run_id = await client.start(task)
    await until(lambda: ended(world.runs, run_id))
    await until(lambda: is_over(world, task))
    dialling.cancel()
    return run_id


async def is_over(world, task):
    return (await world.deps().tasks.load(task.id, USER)).running is None


async def archive(world, run_id):
    """Move a run out of the log, as reporting does."""
    last = await world.runs.last(run_life(run_id))
    await world.objects.put(Bucket.ARCHIVE, archived_life(run_id), last.data)
    sequence = 0
    while (record := await world.runs.next(run_life(run_id), sequence)) is not None:
        sequence = record.sequence
        await world.runs.delete(sequence)


async def commits_of(world, task):
    sequences = []
    sequence = 0
    while (record := await world.events.next(f"ev.task.{task.id}", sequence)) is not None:
        sequence = record.sequence
        sequences.append(sequence)
    return sequences


@pytest.mark.parametrize("command", [StopRun, PauseRun, ResumeRun])
async def test_an_archived_run_refuses_commands_as_an_ended_one_does(command):
    world = World()
    async with world.running() as client:
        run_id = await one_run(world, client, await client.add_task([people(2)]))
        with pytest.raises(ConflictError) as before:
            await client.ask(command(actor=USER, id=run_id))
        await archive(world, run_id)
        with pytest.raises(ConflictError) as after:
            await client.ask(command(actor=USER, id=run_id))
        with pytest.raises(NotFoundError):
            await client.ask(command(actor=OTHER, id=run_id))
    assert after.value.message == before.value.message
    assert await life_of(world.runs, run_id) == []


async def test_a_stop_that_is_repeated_after_the_run_was_archived_succeeds_again():
    world = World()
    async with world.running() as client:
        task = await client.add_task([people(2)])
        run_id = await client.start(task)
        await client.ask(StopRun(actor=USER, id=run_id), "stop-1")
        await until(lambda: is_over(world, task))
        await archive(world, run_id)
        await client.ask(StopRun(actor=USER, id=run_id), "stop-1")


async def test_an_archived_run_whose_task_does_not_know_of_its_end_does_not_begin_again():
    world = World()
    async with world.running() as client:
        task = await client.add_task([people(2)])
        run_id = await one_run(world, client, task)
        started = await world.deps().tasks.load(task.id, USER)
    # The campaign role died before it recorded the end on the task, and nobody started it for a month.
    end = (await commits_of(world, task))[-1]
    await world.events.delete(end)
    world.events._message_ids.clear()
    world.leases.held.clear()
    assert run_id in started.starts.values()
    assert not await is_over(world, task)
    await archive(world, run_id)
    async with world.running() as client:
        await until(lambda: is_over(world, task))
        assert await life_of(world.runs, run_id) == []
        assert not world.queue.jobs
        assert await one_run(world, client, task) != run_id


async def test_a_task_keeps_no_commits_of_old_runs_and_can_be_started_again():
    world = World(CONFIG.model_copy(update={"retention": RetentionConfig(log_days=10)}))
    async with world.running() as client:
        task = await client.add_task([people(2)])
        runs = [await one_run(world, client, task) for _ in range(3)]
        assert len(await commits_of(world, task)) == 1 + 2 * 3
        world.clock.ahead += timedelta(days=11)
        runs.append(await one_run(world, client, task))
        await until(lambda: few_commits(world, task))
        assert len(set(runs)) == 4
    async with world.running() as client:
        assert await client.ask(GetTask(actor=USER, id=task.id)) == task.model_copy(update={"version": 9})


async def few_commits(world, task):
    return len(await commits_of(world, task)) == 1 + 2


async def test_a_task_keeps_all_commits_if_runs_stay_in_the_log_for_ever():
    world = World(CONFIG.model_copy(update={"retention": RetentionConfig(log_days=None)}))
    async with world.running() as client:
        task = await client.add_task([people(2)])
        await one_run(world, client, task)
        world.clock.ahead += timedelta(days=10_000)
        await one_run(world, client, task)
    assert len(await commits_of(world, task)) == 1 + 2 * 2
