import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

from nats.aio.client import Client

from cato_contracts.messages.calls import CallOwner
from cato_contracts.messages.jobs import RunMode
from cato_contracts.subjects import dial_job
from cato_dialer.dial.adapters.nats.job_source import NatsJobSource
from cato_dialer.dial.adapters.spool.jobs_in_hand import JobsInHand
from cato_dialer.dial.domain.subscriber.takeover import OwnerAnswer
from cato_dialer.dial.ports.dial import JobDelivery
from tests.support.nats_server import until_read

Connect = Callable[[], Awaitable[Client]]


class Replica:
    """A source, and the callbacks of the dispatcher around it."""

    def __init__(self, client: Client, jobs: Path | None = None) -> None:
        self.client = client
        self.own = CallOwner(instance=str(id(client)), incarnation=1)
        self.source = NatsJobSource(client, self.own, JobsInHand(jobs) if jobs else None)
        self.changed = asyncio.Event()
        self.on_call: set[str] = set()

    async def open(self) -> "Replica":
        await self.source.open(self.changed.set, self.on_call.__contains__)
        return self

    async def take_until(self, run_id: UUID, count: int, limit_s: float = 20.0) -> list[JobDelivery]:
        holds: list[JobDelivery] = []
        async with asyncio.timeout(limit_s):
            while len(holds) < count:
                self.changed.clear()
                more = await self.source.take(run_id, count - len(holds))
                holds.extend(more)
                if not more:
                    await self.changed.wait()
        return holds

    async def until(self, true: Callable[[], bool], limit_s: float = 20.0) -> None:
        async with asyncio.timeout(limit_s):
            while not true():
                self.changed.clear()
                await self.changed.wait()


def redelivered(delivery: Any) -> bool:
    return bool(delivery._delivery._message.metadata.num_delivered > 1)


async def replica(connect: Connect) -> Replica:
    return await Replica(await connect()).open()


async def test_a_run_is_followed_and_its_jobs_are_taken_in_order(connect: Connect, coordinator: Any) -> None:
    one = await replica(connect)
    run = await coordinator.start_run(priority=3)
    await coordinator.put(run, 0, 1, 2)
    await one.until(lambda: run in one.source.run_states())
    assert one.source.run_states()[run].priority == 3
    holds = await one.take_until(run, 2)
    assert [hold.job.subscriber.no for hold in holds] == [0, 1]
    assert holds[0].key == dial_job(run, 1, 0)
    for hold in holds:
        await hold.done()
    await one.source.close()
    await until_read(one.client)
    assert await coordinator.queued() == 1


async def test_a_job_queued_later_is_announced(connect: Connect, coordinator: Any) -> None:
    one = await replica(connect)
    run = await coordinator.start_run()
    await one.until(lambda: run in one.source.run_states())
    assert await one.source.take(run, 5) == []
    one.changed.clear()
    await coordinator.put(run, 0, 1)
    assert len(await one.take_until(run, 2)) == 2
    await one.source.close()


async def test_take_returns_at_most_its_limit(connect: Connect, coordinator: Any) -> None:
    one = await replica(connect)
    run = await coordinator.start_run()
    await coordinator.put(run, *range(10))
    await one.take_until(run, 3)
    assert await coordinator.in_hand(run) == 3
    await one.source.close()


async def test_a_job_of_a_dead_replica_is_delivered_again(connect: Connect, coordinator: Any) -> None:
    dying, other = await replica(connect), await replica(connect)
    run = await coordinator.start_run(ack_wait=1.0)
    await coordinator.put(run, 0)
    await dying.take_until(run, 1)
    await dying.client.close()
    (hold,) = await other.take_until(run, 1)
    assert redelivered(hold)
    await hold.done()
    await dying.source.close()
    await other.source.close()


async def test_redelivered_jobs_come_before_new_ones(connect: Connect, coordinator: Any) -> None:
    dying, other = await replica(connect), await replica(connect)
    run = await coordinator.start_run(ack_wait=0.5)
    await coordinator.put(run, *range(6))
    (given_back,) = await other.take_until(run, 1)
    await dying.take_until(run, 2)
    await given_back.give_back(0.1)
    await dying.client.close()
    await asyncio.sleep(1.0)  # twice the time after which the queue gives them to another
    holds = await other.take_until(run, 4)
    assert sorted(hold.job.subscriber.no for hold in holds if redelivered(hold)) == [0, 1, 2]
    assert [redelivered(hold) for hold in holds] == [True, True, True, False]
    await dying.source.close()
    await other.source.close()


async def test_an_extended_job_is_not_delivered_again(connect: Connect, coordinator: Any) -> None:
    one, other = await replica(connect), await replica(connect)
    run = await coordinator.start_run(ack_wait=0.5)
    await coordinator.put(run, 0)
    (hold,) = await one.take_until(run, 1)
    assert await other.source.take(run, 1) == []
    for _ in range(8):
        await hold.extend()
        await asyncio.sleep(0.25)  # half the time after which the queue would give it to another
        assert await other.source.take(run, 1) == []
    await one.source.close()
    await other.source.close()


async def test_a_job_given_back_is_delivered_again_after_its_delay(
    connect: Connect, coordinator: Any
) -> None:
    one = await replica(connect)
    run = await coordinator.start_run(ack_wait=30)
    await coordinator.put(run, 0)
    (hold,) = await one.take_until(run, 1)
    began = asyncio.get_running_loop().time()
    await hold.give_back(0.7)
    (again,) = await one.take_until(run, 1)
    assert redelivered(again)
    assert asyncio.get_running_loop().time() - began >= 0.6
    await one.source.close()


async def test_an_unused_job_is_returned_to_another_replica_at_once(
    connect: Connect, coordinator: Any
) -> None:
    full, other = await replica(connect), await replica(connect)
    run = await coordinator.start_run(ack_wait=30)
    await full.until(lambda: run in full.source.run_states())
    assert await full.source.take(run, 5) == []
    full.changed.clear()
    await coordinator.put(run, 0)
    await asyncio.wait_for(full.changed.wait(), 10)
    await full.source.return_unused()
    assert len(await other.take_until(run, 1)) == 1
    await full.source.close()
    await other.source.close()


async def test_a_replica_answers_for_its_calls_and_for_those_that_it_began(
    connect: Connect,
) -> None:
    one, other = await replica(connect), await replica(connect)
    one.on_call = {"ours"}
    one.source._presence._has_call = one.on_call.__contains__
    of_dead = CallOwner(instance=one.own.instance, incarnation=0)
    assert await other.source.ask_owner("ours", one.own) is OwnerAnswer.UP
    assert await other.source.ask_owner("ended", one.own) is OwnerAnswer.OVER
    assert await other.source.ask_owner("ended", of_dead) is OwnerAnswer.SILENCE
    assert await one.source.ask_owner("ended", one.own) is OwnerAnswer.OVER
    await one.source.close()
    assert await other.source.ask_owner("ours", one.own) is OwnerAnswer.SILENCE
    await other.source.close()


async def test_an_undecodable_job_becomes_a_dead_letter(connect: Connect, coordinator: Any) -> None:
    one = await replica(connect)
    run = await coordinator.start_run()
    js = coordinator.client.jetstream()
    dead = await js.subscribe("dead.dialer")
    await js.publish(dial_job(run, 1, 0), b"nonsense")
    await coordinator.put(run, 1)
    (hold,) = await one.take_until(run, 1)
    assert hold.job.subscriber.no == 1
    letter = await dead.next_msg(timeout=10)
    assert letter.data == b"nonsense"
    assert letter.headers["Cato-Subject"] == dial_job(run, 1, 0)
    await dead.unsubscribe()
    await one.source.close()


async def test_changed_and_ended_runs_are_seen_after_a_broker_crash(
    connect: Connect, coordinator: Any, server: Any
) -> None:
    one = await replica(connect)
    ending, pausing = await coordinator.start_run(), await coordinator.start_run()
    await one.until(lambda: {ending, pausing} <= set(one.source.run_states()))
    assert await one.source.take(pausing, 1) == []
    await server.kill()
    await server.restart()
    while not coordinator.client.is_connected:
        await asyncio.sleep(0.05)
    await coordinator.end_run(ending)
    await one.until(lambda: ending not in one.source.run_states())
    await coordinator.put(pausing, 0)
    assert len(await one.take_until(pausing, 1)) == 1
    await coordinator.set_mode(pausing, RunMode.PAUSED)
    await one.until(lambda: one.source.run_states()[pausing].mode is RunMode.PAUSED)
    await one.source.close()


async def test_jobs_of_a_killed_process_are_delivered_again_once_it_has_started_anew(
    connect: Connect, coordinator: Any, tmp_path: Path
) -> None:
    file = tmp_path / "jobs"
    run = await coordinator.start_run(ack_wait=10)
    await coordinator.put(run, 0, 1, 2)
    killed = Replica(await connect(), file)
    held = await (await killed.open()).take_until(run, 3)
    await held[0].done()
    await killed.client.close()

    next_life = await Replica(await connect(), file).open()
    again = await next_life.take_until(run, 2, limit_s=5)  # the broker itself delivers again after 10 s
    assert {each.key for each in again} == {each.key for each in held[1:]}
    assert all(redelivered(each) for each in again)
