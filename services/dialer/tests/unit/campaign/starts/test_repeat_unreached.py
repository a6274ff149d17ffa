"""A task that is started once more for those whom an earlier run has not reached."""

import asyncio
import json
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest

from cato_contracts.errors import ConflictError, NotFoundError
from cato_contracts.messages.campaign_commands import RepeatUnreached
from cato_contracts.objects import Bucket
from cato_contracts.subjects import archived_life
from cato_runtime.process.tasks import end_tasks
from services.dialer.tests.support.campaign_world import (
    OTHER,
    USER,
    World,
    answer_from_memory,
    people,
    until,
)


@pytest.fixture
def world() -> World:
    return World()


@asynccontextmanager
async def answering(world, outcome):
    """A role whose jobs are answered at once."""
    async with world.running() as client:
        dialling = asyncio.create_task(answer_from_memory(world, outcome))
        try:
            yield client
        finally:
            await end_tasks(dialling)


async def over(world, task):
    """Wait until the task is not being executed."""
    tasks = world.deps().tasks

    async def at_rest():
        return (await tasks.load(task.id, USER)).running is None

    await until(at_rest)


async def names(world, run_id):
    """The list of a run: its numbers and names."""
    content = await world.objects.get((await world.deps().runs.load(run_id)).snapshot.subscribers)
    lines = [json.loads(line) for line in content.splitlines()]
    return [(line["no"], line["full_name"]) for line in lines]


async def test_only_the_unreached_are_called_again(world):
    async with answering(world, lambda job: job.subscriber.no % 2 == 0) as client:
        task = await client.add_task([people(5)], attempt_count=1)
        first = await client.start(task)
        await over(world, task)
        started = await client.ask(RepeatUnreached(actor=USER, id=task.id))
        await over(world, task)
    assert await names(world, started.task_exec_id) == [(0, "Person 1"), (1, "Person 3")]
    again = (await world.deps().runs.load(started.task_exec_id)).snapshot
    assert (again.repeats, again.subscriber_count, again.task_id) == (first, 2, task.id)


async def test_an_earlier_run_is_repeated_by_its_id_with_the_people_that_it_had(world):
    async with answering(world, lambda job: job.subscriber.full_name == "Person 0") as client:
        task = await client.add_task([people(3)], attempt_count=1)
        first = await client.start(task)
        await over(world, task)
        second = (await client.ask(RepeatUnreached(actor=USER, id=task.id))).task_exec_id
        await over(world, task)
        third = (await client.ask(RepeatUnreached(actor=USER, id=task.id, run_id=first))).task_exec_id
        await over(world, task)
    assert await names(world, second) == await names(world, third) == [(0, "Person 1"), (1, "Person 2")]
    assert (await world.deps().runs.load(third)).snapshot.repeats == first


async def test_a_repeated_command_starts_one_run(world):
    async with answering(world, lambda _: False) as client:
        task = await client.add_task([people(2)], attempt_count=1)
        await client.start(task)
        await over(world, task)
        command = RepeatUnreached(actor=USER, id=task.id)
        first = await client.ask(command, "key")
        await over(world, task)
        assert await client.ask(command, "key") == first


async def test_what_cannot_be_repeated_is_refused(world):
    async with answering(world, lambda _: True) as client:
        task = await client.add_task([people(2)], attempt_count=1)
        with pytest.raises(ConflictError, match="not been started"):
            await client.ask(RepeatUnreached(actor=USER, id=task.id))
        first = await client.start(task)
        await over(world, task)
        with pytest.raises(ConflictError, match="reached everyone"):
            await client.ask(RepeatUnreached(actor=USER, id=task.id))
        other = await client.add_task([people(2)], attempt_count=1)
        for command in (
            RepeatUnreached(actor=USER, id=task.id, run_id=uuid4()),
            RepeatUnreached(actor=USER, id=other.id, run_id=first),
            RepeatUnreached(actor=OTHER, id=task.id),
        ):
            with pytest.raises(NotFoundError):
                await client.ask(command)


async def test_a_run_that_has_left_the_log_is_not_repeated(world):
    async with answering(world, lambda job: job.subscriber.no == 0) as client:
        task = await client.add_task([people(2)], attempt_count=1)
        run_id = await client.start(task)
        await over(world, task)
        life = await world.runs.last(f"run.{run_id}.life")
        await world.objects.put(Bucket.ARCHIVE, archived_life(run_id), life.data)
        with pytest.raises(ConflictError, match="older than what is kept"):
            await client.ask(RepeatUnreached(actor=USER, id=task.id))


async def test_a_run_in_progress_is_not_repeated(world):
    async with world.running() as client:
        task = await client.add_task([people(2)])
        run_id = await client.start(task)
        with pytest.raises(ConflictError) as refused:
            await client.ask(RepeatUnreached(actor=USER, id=task.id))
        assert refused.value.resource_id == str(run_id)
