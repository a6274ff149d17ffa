"""Large runs wait for a second user, through the whole campaign role in memory."""

import asyncio
from datetime import timedelta

import pytest

from cato_contracts.api.checks import CheckCode, CheckTask
from cato_contracts.api.resources import SettingsSpec
from cato_contracts.api.rules.approvals import ApprovalState, ApproveRun, RejectRun
from cato_contracts.errors import ConflictError, ForbiddenError, NotFoundError
from cato_contracts.messages.campaign_commands import (
    CallTester,
    GetNotificationSettings,
    ListFormat,
    PauseRun,
    ReplaceNotificationSettings,
    ReplaceSubscriberGroup,
    StartTask,
    StopRun,
)
from cato_contracts.requests import Actor
from cato_runtime.configuration.config import ApprovalConfig, Config
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

HEAD = Actor(user_id="head", approver=True)


def config_of(**approval) -> Config:
    return CONFIG.model_copy(update={"approval": ApprovalConfig(above_subscribers=2, **approval)})


async def kinds(world, run_id) -> list[str]:
    return [message["type"] for message in await life_of(world.runs, run_id)]


async def test_a_run_above_the_limit_waits_until_a_second_user_approves_it():
    world = World(config_of())
    async with world.running() as client, asyncio.TaskGroup() as group:
        dialling = group.create_task(answer_from_memory(world, lambda _: True))
        small = await client.start(await client.add_task([people(2)]))
        task = await client.add_task([people(3)])
        run_id = await client.start(task, "start")
        await until(lambda: ended(world.runs, small), 60)
        assert await client.start(task, "start") == run_id
        with pytest.raises(ConflictError):
            await client.start(task)
        with pytest.raises(ForbiddenError, match="another user"):
            await client.ask(ApproveRun(actor=USER.model_copy(update={"approver": True}), id=run_id))
        with pytest.raises(NotFoundError):
            await client.ask(ApproveRun(actor=OTHER, id=run_id))
        assert await kinds(world, run_id) == ["RunStarted"]
        assert not [job for job in world.queue.jobs.values() if job.run_id == run_id]

        approval = await client.ask(ApproveRun(actor=HEAD, id=run_id, comment="seen"), "approve")
        assert (approval.state, approval.by, approval.comment) == (ApprovalState.APPROVED, "head", "seen")
        assert await client.ask(ApproveRun(actor=HEAD, id=run_id, comment="seen"), "approve") == approval
        with pytest.raises(ConflictError, match="approved already"):
            await client.ask(ApproveRun(actor=HEAD, id=run_id))
        await until(lambda: ended(world.runs, run_id), 60)
        dialling.cancel()
    assert await kinds(world, run_id) == ["RunStarted", "RunApproved", "WaveStarted", "WaveEnded", "RunEnded"]


async def test_a_rejected_run_ends_with_a_result_of_each_subscriber():
    world = World(config_of())
    async with world.running() as client:
        run_id = await client.start(await client.add_task([people(3)]))
        approval = await client.ask(RejectRun(actor=HEAD, id=run_id))
        assert approval.state is ApprovalState.REJECTED
        await until(lambda: ended(world.runs, run_id), 60)
        life = await life_of(world.runs, run_id)
        results = [await world.runs.last(f"run.{run_id}.result.{no}", fresh=True) for no in range(3)]
    assert life[-1]["body"]["ending"] == "REJECTED"
    assert all(record is not None and b"not-approved" in record.data for record in results)
    assert not world.queue.jobs


async def test_a_run_that_nobody_decides_about_ends_in_time():
    world = World(config_of(expires_after_s=60))
    async with world.running() as client:
        run_id = await client.start(await client.add_task([people(3)]))
        world.clock.ahead = timedelta(seconds=61)
        with pytest.raises(ConflictError):
            await client.ask(ApproveRun(actor=HEAD, id=run_id))
    # The next campaign dialer finds the time passed.
    async with world.running():
        await until(lambda: ended(world.runs, run_id), 60)
    assert await kinds(world, run_id) == [
        *("RunStarted", "RunApprovalExpired", "WaveStarted", "WaveEnded", "RunEnded")
    ]


async def test_who_approves_runs_does_not_control_them_and_the_owner_stops_a_waiting_one():
    world = World(config_of())
    async with world.running() as client:
        run_id = await client.start(await client.add_task([people(3)]))
        with pytest.raises(NotFoundError):
            await client.ask(PauseRun(actor=HEAD, id=run_id))
        await client.ask(StopRun(actor=USER, id=run_id))
        await until(lambda: ended(world.runs, run_id), 60)
        with pytest.raises(ConflictError, match="has ended"):
            await client.ask(ApproveRun(actor=HEAD, id=run_id))
    assert await kinds(world, run_id) == ["RunStarted", "RunStopping", "RunEnded"]


@pytest.mark.parametrize("skips", [True, False])
async def test_an_emergency_waits_unless_the_configuration_lets_it_skip(skips):
    world = World(config_of(emergency_skips=skips))
    urgent = USER.model_copy(update={"emergency": True})
    async with world.running() as client:
        task = await client.add_task([people(3)])
        started = await client.ask(StartTask(actor=urgent, id=task.id))
        life = await life_of(world.runs, started.task_exec_id)
    assert ("approval" not in life[0]["body"]["snapshot"]) is skips


async def test_a_test_call_and_the_check_know_of_the_approval():
    world = World(config_of())
    async with world.running() as client:
        task = await client.add_task([people(3)])
        found = await client.ask(CheckTask(actor=USER, id=task.id))
        assert CheckCode.NEEDS_APPROVAL in {warning.code for warning in found.warnings}
        started = await client.ask(CallTester(actor=USER, id=task.id, number="776413"))
        life = await life_of(world.runs, started.task_exec_id)
    assert "approval" not in life[0]["body"]["snapshot"]


async def test_a_list_and_settings_that_change_during_the_wait_change_nothing():
    world = World(config_of())
    async with world.running() as client:
        task = await client.add_task([people(3)])
        run_id = await client.start(task)
        settings = await client.ask(GetNotificationSettings(actor=USER, id=task.settings))
        spec = SettingsSpec(
            **settings.model_dump(exclude={"id", "user_id", "version", "attempt_count"}), attempt_count=9
        )
        await client.ask(ReplaceNotificationSettings(actor=USER, id=task.settings, spec=spec))
        upload = await client.upload(people(4, start=50))
        await client.ask(
            ReplaceSubscriberGroup(actor=USER, id=task.groups[0], format=ListFormat.JSON, upload=upload)
        )
        await client.ask(ApproveRun(actor=HEAD, id=run_id))
        await until(lambda: len(world.queue.jobs) == 3, 60)
        jobs = list(world.queue.jobs.values())
    assert {job.subscriber.full_name for job in jobs} == {"Person 0", "Person 1", "Person 2"}
    assert {job.settings.attempt_count for job in jobs} == {settings.attempt_count}
