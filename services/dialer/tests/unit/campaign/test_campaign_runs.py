"""Runs through the whole role, in memory."""

import asyncio
import json
from collections import Counter
from datetime import timedelta

import pytest

from cato_contracts.errors import ConflictError
from cato_contracts.messages.campaign_commands import PauseRun, ResumeRun, StopRun
from cato_contracts.messages.jobs import RunMode
from services.dialer.tests.support.campaign_world import (
    USER,
    World,
    answer_from_memory,
    ended,
    life_of,
    people,
    snapshot,
    until,
)


async def names_of_life(world: World, run_id) -> list[str]:
    return [message["type"] for message in await life_of(world.runs, run_id)]


async def test_a_run_repeats_waves_for_subscribers_who_were_not_notified():
    world = World()
    asked: Counter[tuple[int, int]] = Counter()

    def outcome(job):
        asked[job.wave, job.subscriber.no] += 1
        return job.wave == 2 or job.subscriber.no % 2 == 0

    async with world.running() as client, asyncio.TaskGroup() as group:
        dialling = group.create_task(answer_from_memory(world, outcome))
        task = await client.add_task([people(10)], attempt_count=3)
        run_id = await client.start(task)
        await until(lambda: ended(world.runs, run_id))
        await until(lambda: not world.queue.consumers and not world.run_states.run_states)
        dialling.cancel()
    assert asked == Counter([(1, no) for no in range(10)] + [(2, no) for no in range(1, 10, 2)])
    life = await life_of(world.runs, run_id)
    assert [(message["type"], message["body"].get("wave")) for message in life] == [
        ("RunStarted", None),
        ("WaveStarted", 1),
        ("WaveEnded", 1),
        ("WaveStarted", 2),
        ("WaveEnded", 2),
        ("RunEnded", None),
    ]
    assert [message["body"].get("failed") for message in life if message["type"] == "WaveEnded"] == [5, 0]
    assert life[-1]["body"]["ending"] == "FINISHED"


async def test_a_subscriber_whose_job_is_too_large_fails_and_the_run_ends_l8():
    world = World()
    async with world.running() as client, asyncio.TaskGroup() as group:
        dialling = group.create_task(answer_from_memory(world, lambda job: True))
        task = await client.add_task([people(3)], attempt_count=2)
        world.queue.max_payload = 0
        run_id = await client.start(task)
        await until(lambda: ended(world.runs, run_id))
        dialling.cancel()
    results = [
        json.loads(record.data)["body"]
        for no in range(3)
        if (record := await world.runs.last(f"run.{run_id}.result.{no}", fresh=True)) is not None
    ]
    assert [(each["no"], each["wave"], each["notified"], each["reason"]) for each in results] == [
        (no, 2, False, "job-too-large") for no in range(3)
    ]


async def test_a_task_can_be_started_again_when_its_run_is_over():
    world = World()
    async with world.running() as client, asyncio.TaskGroup() as group:
        dialling = group.create_task(answer_from_memory(world, lambda job: True))
        task = await client.add_task([people(2)])
        first = await client.start(task)
        with pytest.raises(ConflictError) as refused:
            await client.start(task)
        assert refused.value.resource_id == str(first)
        await until(lambda: ended(world.runs, first))

        async def can_start() -> bool:
            try:
                return await client.start(task) != first
            except ConflictError:
                return False

        await until(can_start)
        dialling.cancel()


async def test_a_run_without_subscribers_ends_at_once():
    world = World()
    async with world.running() as client:
        task = await client.add_task([people(1)])
    decided = snapshot(0, task_id=task.id)  # as earlier versions decided it
    await world.deps().tasks.execute(
        task.id, "key", lambda task: task.start(decided, command_id="key", timestamp=world.clock.now())
    )
    async with world.running():
        await until(lambda: ended(world.runs, decided.run_id))
    assert await names_of_life(world, decided.run_id) == ["RunStarted", "RunEnded"]


async def test_a_stopped_run_drops_its_jobs_and_ends():
    world = World()
    async with world.running() as client:
        run_id = await client.start(await client.add_task([people(5)]))
        await until(lambda: len(world.queue.jobs) == 5)
        await client.ask(StopRun(actor=USER, id=run_id))
        await until(lambda: ended(world.runs, run_id))
        with pytest.raises(ConflictError):
            await client.ask(StopRun(actor=USER, id=run_id))
        await until(lambda: not world.queue.jobs and not world.run_states.run_states)
    assert await names_of_life(world, run_id) == ["RunStarted", "WaveStarted", "RunStopping", "RunEnded"]
    assert (await life_of(world.runs, run_id))[-1]["body"]["ending"] == "STOPPED"


async def test_a_paused_run_writes_its_dispatch_state_and_begins_no_wave():
    world = World()
    async with world.running() as client, asyncio.TaskGroup() as group:
        run_id = await client.start(await client.add_task([people(2)]))
        await until(lambda: len(world.queue.jobs) == 2)
        await client.ask(PauseRun(actor=USER, id=run_id, hangup=True))
        await until(lambda: world.run_states.run_states[run_id].mode is RunMode.PAUSED)
        assert world.run_states.run_states[run_id].hangup
        dialling = group.create_task(answer_from_memory(world, lambda job: job.wave == 2))

        async def wave_ended() -> bool:
            return "WaveEnded" in await names_of_life(world, run_id)

        await until(wave_ended)
        await asyncio.sleep(0.1)
        assert await names_of_life(world, run_id) == ["RunStarted", "WaveStarted", "RunPaused", "WaveEnded"]
        await client.ask(ResumeRun(actor=USER, id=run_id))
        await until(lambda: ended(world.runs, run_id))
        with pytest.raises(ConflictError):
            await client.ask(PauseRun(actor=USER, id=run_id))
        dialling.cancel()
    assert (await names_of_life(world, run_id))[-4:] == ["RunResumed", "WaveStarted", "WaveEnded", "RunEnded"]


async def test_an_expired_run_fails_every_remaining_subscriber():
    world = World()
    async with world.running() as client:
        expires_at = world.clock.now() + timedelta(hours=1)
        run_id = await client.start(await client.add_task([people(2500)], expires_at=expires_at))
        await until(lambda: len(world.queue.jobs) == 2500)
        world.clock.ahead = timedelta(hours=1)
        await until(lambda: ended(world.runs, run_id))
        await until(lambda: not world.queue.jobs)
    life = await life_of(world.runs, run_id)
    assert [message["type"] for message in life] == [
        "RunStarted",
        "WaveStarted",
        "RunStopping",
        "WaveEnded",
        "RunEnded",
    ]
    assert life[-2]["body"]["failed"] == 2500
    assert life[-1]["body"]["ending"] == "EXPIRED"


async def test_a_run_waits_for_its_start_time():
    world = World()
    async with world.running() as client, asyncio.TaskGroup() as group:
        dialling = group.create_task(answer_from_memory(world, lambda job: True))
        start_at = world.clock.now() + timedelta(seconds=0.5)
        run_id = await client.start(await client.add_task([people(1)], start_at=start_at))
        await until(lambda: ended(world.runs, run_id))
        dialling.cancel()
    started = next(m for m in await life_of(world.runs, run_id) if m["type"] == "WaveStarted")
    assert started["occurred_at"] >= start_at.isoformat()[:22]


async def test_lost_jobs_are_queued_again():
    world = World()
    async with world.running() as client, asyncio.TaskGroup() as group:
        run_id = await client.start(await client.add_task([people(20)]))
        await until(lambda: len(world.queue.jobs) == 20)
        for key in list(world.queue.jobs)[5:]:
            del world.queue.jobs[key]
        await until(lambda: len(world.queue.jobs) == 20)
        dialling = group.create_task(answer_from_memory(world, lambda job: True))
        await until(lambda: ended(world.runs, run_id))
        dialling.cancel()


async def test_another_replica_continues_a_run():
    world = World()
    asked: Counter[tuple[int, int]] = Counter()

    def outcome(job):
        asked[job.wave, job.subscriber.no] += 1
        return job.wave == 2

    async with asyncio.TaskGroup() as group:
        async with world.running() as client:
            run_id = await client.start(await client.add_task([people(50)]))
            await until(lambda: len(world.queue.jobs) == 50)
            for key in list(world.queue.jobs)[::3]:
                del world.queue.jobs[key]
        dialling = group.create_task(answer_from_memory(world, outcome))
        async with world.running():
            await until(lambda: ended(world.runs, run_id))
        dialling.cancel()
    assert asked == Counter((wave, no) for wave in (1, 2) for no in range(50))


async def test_a_run_whose_list_is_missing_can_still_be_stopped():
    world = World()
    async with world.running() as client:
        task = await client.add_task([people(2)], start_at=world.clock.now() + timedelta(seconds=0.3))
        run_id = await client.start(task)
        for key in [key for key in world.objects.objects if key[1].startswith("run/")]:
            del world.objects.objects[key]

        async def wave_started() -> bool:
            return "WaveStarted" in await names_of_life(world, run_id)

        await until(wave_started)
        await client.ask(StopRun(actor=USER, id=run_id))
        await until(lambda: ended(world.runs, run_id))
