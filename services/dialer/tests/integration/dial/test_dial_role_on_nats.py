"""Two replicas of the dial role on a real broker, with scripted lines, while a replica or the broker dies."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from nats.aio.client import Client

from cato_contracts.envelope import decode
from cato_contracts.messages.calls import CallEvent, CallEventKind
from cato_contracts.messages.runs import SubscriberResult
from cato_contracts.subjects import LEASES, RUNS, dial_job
from cato_dialer.dial.adapters.nats.call_journal import NatsCallJournal
from cato_dialer.dial.adapters.nats.channel_source import NatsChannelSource
from cato_dialer.dial.adapters.nats.incarnations import NatsIncarnations, claim
from cato_dialer.dial.adapters.nats.job_source import NatsJobSource
from cato_dialer.dial.domain.capacity.licence import Licence
from cato_dialer.dial.handlers.deps import Deps
from cato_dialer.dial.role import DialRole
from cato_jetstream import Bucket
from services.dialer.tests.support.dial_world import Kit, ReplicaTrunk, Script, World
from services.dialer.tests.support.memory_dial import MemoryPromptCache

Connect = Callable[[], Awaitable[Client]]


class NatsReplica:
    """A dial role of its own connection."""

    def __init__(self, world: World, client: Client, incarnations: NatsIncarnations) -> None:
        self.world = world
        self.client = client
        self.name = incarnations.own.instance
        self.dead = False
        self.lines: list[Callable[[], None]] = []
        source = NatsJobSource(client, incarnations.own)
        deps = Deps(
            stations=world.stations,
            trunk=ReplicaTrunk(self),
            journal=NatsCallJournal(client),
            channels=NatsChannelSource(client, world.stations, Licence(100), world.clock, name=self.name),
            prompts=MemoryPromptCache(),
            incarnations=incarnations,
            clock=world.clock,
            run_states=source.run_states,
        )
        self.role = DialRole(deps, source)

    async def die(self) -> None:
        """Stop at once, without a message to the broker or the other replicas."""
        self.dead = True
        for gone in self.lines:
            gone()
        for task in (*self.role.dispatcher._loops, *self.role.dispatcher._tasks):
            task.cancel()
        await self.client.close()


async def nats_replica(world: World, connect: Connect, name: str) -> NatsReplica:
    client = await connect()
    return NatsReplica(world, client, await claim(client, Bucket(client.jetstream(), LEASES.name), name))


def make_world(answers_after_s: float, prompt_ms: int, channels: int) -> World:
    script = Script(rings_at=0.02, answers_at=answers_after_s)
    return World(lambda *_: script, (Kit().station(channels=channels),), prompt_ms=prompt_ms, listen_s=1)


async def put_all(coordinator: Any, world: World, run_id: UUID, count: int) -> None:
    js = coordinator.client.jetstream()
    for no in range(count):
        job = world.job(no, [f"{no}/0"], run_id=run_id)
        await js.publish(dial_job(run_id, 1, no), coordinator.envelope(job))


async def until_queue_is_empty(coordinator: Any, limit_s: float) -> None:
    async with asyncio.timeout(limit_s):
        while await coordinator.queued():
            await asyncio.sleep(0.1)


async def fill_log(world: World, client: Client) -> None:
    """Copy the stream into the world's log, for its checks."""
    js = client.jetstream()
    state = (await js.stream_info(RUNS.name)).state
    for sequence in range(state.first_seq, state.last_seq + 1):
        message = await js.get_msg(RUNS.name, seq=sequence)
        envelope: Any = decode(message.data or b"")
        assert isinstance(envelope.body, CallEvent | SubscriberResult)
        world.journal.entries.append(envelope)


async def test_jobs_of_a_dead_replica_are_finished_by_another(connect: Connect, coordinator: Any) -> None:
    world = make_world(0.05, 400, channels=4)
    run = await coordinator.start_run(ack_wait=2.0)
    dying, other = await nats_replica(world, connect, "a"), await nats_replica(world, connect, "b")
    await dying.role.start()
    await put_all(coordinator, world, run, 20)
    async with asyncio.timeout(20):
        while not any(world.up.values()):
            await asyncio.sleep(0.01)
    await other.role.start()
    await asyncio.sleep(0.2)
    await dying.die()
    restarted = await nats_replica(world, connect, "a")
    await restarted.role.start()
    await until_queue_is_empty(coordinator, 60)
    await restarted.role.stop()
    await other.role.stop()
    await fill_log(world, coordinator.client)
    world.assert_consistent()
    assert sorted(result.no for result in world.results() if result.notified) == list(range(20))
    assert CallEventKind.INTERRUPTED in {event.kind for event in world.events()}


async def test_calls_go_on_during_a_broker_outage_and_none_is_repeated(
    connect: Connect, coordinator: Any, server: Any
) -> None:
    world = make_world(0.1, 4000, channels=6)
    run = await coordinator.start_run(ack_wait=1.5)
    replicas = [await nats_replica(world, connect, name) for name in "ab"]
    for replica in replicas:
        await replica.role.start()
    await put_all(coordinator, world, run, 9)
    async with asyncio.timeout(20):
        while sum(world.up.values()) < 4:
            await asyncio.sleep(0.01)
    await server.kill()
    await asyncio.sleep(2.0)
    await server.restart()
    await until_queue_is_empty(coordinator, 90)
    for replica in replicas:
        await replica.role.stop()
    await fill_log(world, coordinator.client)
    world.assert_consistent()
    assert sorted(result.no for result in world.results() if result.notified) == list(range(9))
    assert set(world.calls_to.values()) == {1}
    assert CallEventKind.INTERRUPTED not in {event.kind for event in world.events()}
