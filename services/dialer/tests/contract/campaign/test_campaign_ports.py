"""The contract of the campaign role's ports, on every adapter."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from nats.aio.client import Client

from cato_contracts.api.resources import NotificationSettings
from cato_contracts.messages.jobs import DialJob, RunDispatchState, RunMode
from cato_contracts.messages.runs import Prompt, RunSubscriber, SubscriberResult
from cato_contracts.subjects import (
    DIAL,
    LEASES,
    RUN_DISPATCH_STATES,
    RUNS,
    dial_consumer,
    run_call,
    run_fence,
    run_result,
    run_subscriber,
)
from cato_dialer.campaign.adapters.nats_dial_queue import NatsDialQueue
from cato_dialer.campaign.adapters.nats_leases import NatsLeases
from cato_dialer.campaign.adapters.nats_run_calls import NatsRunCalls
from cato_dialer.campaign.adapters.nats_run_states import NatsRunStates
from cato_dialer.campaign.ports import (
    DialQueue,
    LeaseLostError,
    Leases,
    QueuedResult,
    RunCalls,
    RunStates,
)
from cato_jetstream import JetStreamLog, Log
from cato_runtime.broker import connect, ensure_topology, make_broker
from cato_runtime.clock import SystemClock
from cato_runtime.process.embedded_nats import EmbeddedNats
from services.dialer.tests.support.campaign_world import snapshot, until
from services.dialer.tests.support.memory_campaign import (
    MemoryDialQueue,
    MemoryLeases,
    MemoryRunCalls,
    MemoryRunStates,
)
from tests.support.memory_log import MemoryLog


class Adapters:
    """One of each port, on one technology."""

    def __init__(
        self, queue: DialQueue, run_states: RunStates, calls: RunCalls, leases: Leases, runs: Log
    ) -> None:
        self.queue = queue
        self.run_states = run_states
        self.calls = calls
        self.leases = leases
        self.runs = runs


@asynccontextmanager
async def connected(directory: Path) -> AsyncIterator[Client]:
    async with EmbeddedNats(directory) as server:
        broker = make_broker(server.url, "test")
        client = await connect(broker)
        await ensure_topology(client.jetstream())
        yield client
        await broker.stop()


@pytest.fixture
async def client(tmp_path) -> AsyncIterator[Client]:
    async with connected(tmp_path / "nats") as client:
        yield client


def on_nats(client: Client) -> Adapters:
    js = client.jetstream(timeout=10)
    clock = SystemClock()
    return Adapters(
        NatsDialQueue(client, js, clock),
        NatsRunStates(js),
        NatsRunCalls(client, js, clock),
        NatsLeases(js, ttl_s=2),
        JetStreamLog(client, RUNS.name),
    )


@pytest.fixture(params=["memory", "nats"])
async def adapters(request, tmp_path) -> AsyncIterator[Adapters]:
    if request.param == "nats":
        async with connected(tmp_path / "nats") as client:
            yield on_nats(client)
    else:
        runs = MemoryLog()
        yield Adapters(
            MemoryDialQueue(), MemoryRunStates(), MemoryRunCalls(runs, SystemClock()), MemoryLeases(), runs
        )


def job(run_id: UUID, wave: int, no: int) -> DialJob:
    about = snapshot()
    return DialJob(
        run_id=run_id,
        wave=wave,
        subscriber=RunSubscriber(full_name="A", phones=["1"], id=uuid4(), no=no),
        settings=NotificationSettings.model_validate(about.settings.model_dump()),
        time_zone=about.time_zone,
        prompt=Prompt.model_validate(about.prompt.model_dump()),
        priority=0,
        expires_at=None,
    )


def result(run_id: UUID, no: int) -> SubscriberResult:
    return SubscriberResult(
        run_id=run_id, no=no, wave=1, notified=False, reason="expired", call_id=None, number=None
    )


async def test_a_job_is_queued_once_until_its_run_is_closed(adapters):
    queue = adapters.queue
    run_id, other = uuid4(), uuid4()
    assert await queue.count(run_id) == 0
    for run in (run_id, other, run_id):
        await queue.open(run)
    await queue.enqueue([job(run_id, 1, no) for no in range(5)])
    await queue.enqueue([job(run_id, 1, no) for no in range(7)])
    await queue.enqueue([job(run_id, 2, 3), job(other, 1, 9)])
    await queue.enqueue([])
    assert await queue.queued(run_id, 1) == set(range(7))
    assert await queue.queued(run_id, 2) == {3}
    assert await queue.queued(run_id, 3) == set()
    assert await queue.count(run_id) == 8
    for _ in range(2):
        await queue.close(run_id)
    assert (await queue.count(run_id), await queue.count(other)) == (0, 1)


async def test_a_job_larger_than_a_message_of_the_broker_is_returned_and_the_others_are_queued_l8(adapters):
    run_id = uuid4()
    await adapters.queue.open(run_id)
    jobs = [job(run_id, 1, no) for no in range(3)]
    huge = jobs[1].subscriber.model_copy(update={"emails": ["x" * 9_000_000]})
    jobs[1] = jobs[1].model_copy(update={"subscriber": huge})
    assert await adapters.queue.enqueue(jobs) == [jobs[1]]
    assert await adapters.queue.queued(run_id, 1) == {0, 2}
    assert await adapters.queue.enqueue([jobs[1]]) == [jobs[1]]


async def test_a_lease_has_one_holder_until_it_is_released(adapters):
    leases = adapters.leases
    first = await leases.acquire("a")
    assert first is not None
    assert await leases.acquire("a") is None
    assert await leases.acquire("b") is not None
    await first.renew()
    await first.release()
    second = await leases.acquire("a")
    assert second is not None
    with pytest.raises(LeaseLostError):
        await first.renew()
    await first.release()
    await second.renew()


async def test_calls_without_an_end_are_found(adapters):
    run_id = uuid4()
    for no, kinds in enumerate((["started"], ["started", "ended"], ["started", "interrupted"], ["trying"])):
        last = 0
        for kind in kinds:
            data = json.dumps({"body": {"kind": kind}}).encode()
            subject = run_call(run_id, no)
            last = (
                await adapters.runs.append(subject, data, expected=last, message_id=f"{no}{kind}")
            ).sequence
    assert await adapters.calls.up(run_id) == {0, 3}
    assert await adapters.calls.up(run_id, {0, 1, 9}) == {0}
    assert await adapters.calls.up(uuid4()) == frozenset()


async def test_a_result_is_published_unless_the_subscriber_has_a_newer_one(adapters):
    run_id = uuid4()
    first = await adapters.calls.give_results([QueuedResult(result(run_id, no), 0) for no in (0, 1)])
    taken = await adapters.runs.last(run_result(run_id, 1), fresh=True)
    assert taken is not None
    assert taken.sequence == first
    late = [QueuedResult(result(run_id, 1), 0), QueuedResult(result(run_id, 0), 999)]
    assert await adapters.calls.give_results(late) == 0
    assert await adapters.calls.give_results([]) == 0
    assert await adapters.runs.end([run_result(run_id, "*")]) == first


async def write_call(adapters, run_id, no, kind, expected):
    data = json.dumps({"body": {"kind": kind}}).encode()
    appended = await adapters.runs.append(
        run_call(run_id, no), data, expected=expected, message_id=str(uuid4())
    )
    return appended.sequence


async def test_a_result_is_dropped_while_a_call_is_up_and_follows_one_that_has_ended(adapters):
    run_id = uuid4()
    started = await write_call(adapters, run_id, 0, "started", 0)
    assert await adapters.calls.give_results([QueuedResult(result(run_id, 0), 0)]) == 0
    await write_call(adapters, run_id, 0, "ended", started)
    given = await adapters.calls.give_results([QueuedResult(result(run_id, 0), 0)])
    assert given > started
    assert await adapters.calls.give_results([QueuedResult(result(run_id, 0), 0)]) == 0


async def test_starts_are_rejected_unless_they_have_arrived(adapters):
    run_id = uuid4()
    await write_call(adapters, run_id, 1, "started", 0)
    ended = await write_call(adapters, run_id, 2, "started", 0)
    await write_call(adapters, run_id, 2, "ended", ended)
    assert await adapters.calls.reject_starts(run_id, {0: 0, 1: 0, 2: 0}) == {1}
    assert await adapters.calls.reject_starts(run_id, {}) == frozenset()
    for no in (0, 2):
        head = await adapters.runs.last(run_subscriber(run_id, no), fresh=True)
        assert head is not None
        assert head.subject == run_fence(run_id, no)


async def test_a_lease_that_is_not_renewed_expires(client):
    leases = on_nats(client).leases
    held = await leases.acquire("a")
    assert held is not None

    async def expired() -> bool:
        return await leases.acquire("a") is not None

    await until(expired)
    with pytest.raises(LeaseLostError):
        await held.renew()
    assert (await client.jetstream().stream_info(f"KV_{LEASES.name}")).state.messages == 1


async def test_a_coordinator_that_lost_its_lease_cannot_change_the_dispatch_state(client):
    frozen, successor = on_nats(client).run_states, on_nats(client).run_states
    run_id = uuid4()
    for mode in (RunMode.CALLING, RunMode.PAUSED):
        await frozen.put(RunDispatchState(run_id=run_id, priority=0, mode=mode))
    await successor.put(RunDispatchState(run_id=run_id, priority=0, mode=RunMode.STOPPING))
    with pytest.raises(LeaseLostError):
        await frozen.put(RunDispatchState(run_id=run_id, priority=0, mode=RunMode.CALLING))
    bucket = await client.jetstream().key_value(RUN_DISPATCH_STATES.name)
    assert b"STOPPING" in ((await bucket.get(str(run_id))).value or b"")
    for _ in range(2):
        await successor.remove(run_id)


async def test_jobs_in_hand_are_those_that_a_replica_has_not_acknowledged(client):
    run_id = uuid4()
    queue = on_nats(client).queue
    assert await queue.in_hand(run_id) == set()
    await queue.open(run_id)
    await queue.enqueue([job(run_id, 1, no) for no in range(4)])
    assert await queue.in_hand(run_id) == set()
    puller = await client.jetstream().pull_subscribe_bind(dial_consumer(run_id), DIAL.name)
    first, *_ = await puller.fetch(3)
    await first.ack_sync()
    async with asyncio.timeout(30):
        # A cluster removes an acknowledged job a moment after its answer.
        while (in_hand := await queue.in_hand(run_id)) != {1, 2}:
            assert in_hand == {0, 1, 2}
            await asyncio.sleep(0.02)


async def test_the_consumer_of_a_run_has_the_settings_that_dial_replicas_need(client):
    run_id = uuid4()
    await on_nats(client).queue.open(run_id)
    info = await client.jetstream().consumer_info(DIAL.name, dial_consumer(run_id))
    assert (info.config.ack_wait, info.config.max_deliver) == (10, -1)
    assert info.config.filter_subject == f"dial.{run_id}.>"
