"""The campaign role on a real broker."""

import asyncio
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from uuid import UUID

import pytest
from nats.aio.client import Client as NatsClient
from nats.js.errors import NoKeysError

from cato_contracts.messages.campaign_commands import PauseRun, StopRun
from cato_contracts.messages.jobs import RunDispatchState, RunMode
from cato_contracts.subjects import DIAL, LEASES, RUN_DISPATCH_STATES, dial_job, run_call
from cato_jetstream import Bucket, JetStreamLog
from cato_runtime.broker import connect, ensure_topology, make_broker
from cato_runtime.objects import NatsObjectStore
from cato_runtime.process.embedded_nats import EmbeddedNats
from cato_runtime.process.tasks import end_tasks
from services.dialer.tests.support.campaign_on_nats import role_on
from services.dialer.tests.support.campaign_world import (
    QUICK,
    USER,
    Client,
    ended,
    life_of,
    people,
    until,
)
from services.dialer.tests.support.fake_dial_role import dial_by_consumer
from services.dialer.tests.support.memory_campaign import MemoryAudioLibrary

REPLICA = Path(__file__).parents[2] / "support" / "campaign_replica.py"


@pytest.fixture
async def nats(tmp_path) -> AsyncIterator[EmbeddedNats]:
    async with EmbeddedNats(tmp_path / "nats") as server:
        yield server


@asynccontextmanager
async def connected(nats: EmbeddedNats) -> AsyncIterator[NatsClient]:
    broker = make_broker(nats.url, "test")
    client = await connect(broker)
    await ensure_topology(client.jetstream())
    yield client
    await broker.stop()


@pytest.fixture
async def client(nats) -> AsyncIterator[NatsClient]:
    async with connected(nats) as client:
        yield client


@asynccontextmanager
async def running(client: NatsClient) -> AsyncIterator[Client]:
    audio = MemoryAudioLibrary()
    role = role_on(client, audio)
    await role.start()
    try:
        yield Client(role.requests, NatsObjectStore(client.jetstream(timeout=10)), audio)
    finally:
        await role.stop()


async def run_states(client: NatsClient) -> dict[UUID, RunDispatchState]:
    bucket = await client.jetstream().key_value(RUN_DISPATCH_STATES.name)
    found = {}
    with suppress(NoKeysError):
        for key in await bucket.keys():
            value = (await bucket.get(key)).value
            found[UUID(key)] = RunDispatchState.model_validate_json(value or b"")
    return found


async def test_a_run_of_two_waves_leaves_no_jobs_consumers_and_states(client):
    log = JetStreamLog(client, "RUNS")
    asked: Counter[tuple[int, int]] = Counter()

    def outcome(job):
        asked[job.wave, job.subscriber.no] += 1
        return job.wave == 2 or job.subscriber.no % 3 == 0

    async with running(client) as user, asyncio.TaskGroup() as group:
        dialling = group.create_task(dial_by_consumer(client, outcome))
        task = await user.add_task([people(30), people(10, start=25)], attempt_count=3)
        run_id = await user.start(task)
        await until(lambda: ended(log, run_id))

        async def nothing_left() -> bool:
            js = client.jetstream()
            state = (await js.stream_info(DIAL.name)).state
            return state.messages == 0 and not state.consumer_count

        await until(nothing_left)
        await end_tasks(dialling)
    assert asked == Counter([(1, no) for no in range(35)] + [(2, no) for no in range(35) if no % 3])
    assert [message["type"] for message in await life_of(log, run_id)] == [
        *("RunStarted", "WaveStarted", "WaveEnded", "WaveStarted", "WaveEnded", "RunEnded")
    ]


async def test_pause_and_stop_are_written_to_the_dispatch_state(client):
    log = JetStreamLog(client, "RUNS")
    async with running(client) as user:
        run_id = await user.start(await user.add_task([people(3)]))

        async def mode() -> RunMode | None:
            state = (await run_states(client)).get(run_id)
            return state.mode if state else None

        async def is_calling() -> bool:
            return await mode() is RunMode.CALLING

        async def is_paused() -> bool:
            return await mode() is RunMode.PAUSED

        await until(is_calling)
        assert (await client.jetstream().stream_info(DIAL.name)).state.consumer_count == 1
        await user.ask(PauseRun(actor=USER, id=run_id))
        await until(is_paused)
        await user.ask(StopRun(actor=USER, id=run_id))
        await until(lambda: ended(log, run_id))


async def test_a_stopped_run_waits_until_its_calls_have_ended(client):
    log = JetStreamLog(client, "RUNS")
    js = client.jetstream()

    async def call_event(run_id, no, kind) -> None:
        await js.publish(run_call(run_id, no), json.dumps({"body": {"kind": kind}}).encode())

    async with running(client) as user:
        run_id = await user.start(await user.add_task([people(3)]))

        async def all_are_queued() -> bool:
            return (await js.stream_info(DIAL.name)).state.messages == 3

        await until(all_are_queued)
        await call_event(run_id, 1, "started")
        await user.ask(StopRun(actor=USER, id=run_id))
        await asyncio.sleep(3 * QUICK.settle_s)
        assert not await ended(log, run_id)
        await call_event(run_id, 1, "ended")
        await until(lambda: ended(log, run_id))


async def test_purged_jobs_are_queued_again(client):
    js = client.jetstream()
    async with running(client) as user:
        run_id = await user.start(await user.add_task([people(20)]))

        async def all_are_queued() -> bool:
            return (await js.stream_info(DIAL.name)).state.messages == 20

        await until(all_are_queued)
        await js.purge_stream(DIAL.name, subject=dial_job(run_id, 1, 3))
        await js.purge_stream(DIAL.name, subject=dial_job(run_id, 1, 7))
        assert not await all_are_queued()
        await until(all_are_queued)


async def test_runs_continue_after_a_crash_of_the_broker(nats, client):
    log = JetStreamLog(client, "RUNS")
    asked: Counter[tuple[int, int]] = Counter()

    def outcome(job):
        asked[job.wave, job.subscriber.no] += 1
        return False

    async with running(client) as user, asyncio.TaskGroup() as group:
        run_id = await user.start(await user.add_task([people(200)], attempt_delay_s=1))
        dialling = group.create_task(dial_by_consumer(client, outcome))
        await until(lambda: len(asked) > 20)
        await nats.kill()
        await nats.restart()
        await until(lambda: ended(log, run_id), 40)
        await end_tasks(dialling)
    assert set(asked) == {(wave, no) for wave in (1, 2) for no in range(200)}
    kinds = [message["type"] for message in await life_of(log, run_id)]
    assert kinds == ["RunStarted", "WaveStarted", "WaveEnded", "WaveStarted", "WaveEnded", "RunEnded"]


async def test_another_process_takes_over_a_run_whose_driver_is_killed(nats, client):
    log = JetStreamLog(client, "RUNS")
    asked: Counter[tuple[int, int]] = Counter()

    def outcome(job):
        asked[job.wave, job.subscriber.no] += 1
        return job.wave == 2

    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(REPLICA),
        nats.url,
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[5])},
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(30):
            while not (line := (await process.stdout.readline()).decode()).startswith("run "):
                pass
        run_id = UUID(line.split()[1])
        async with running(client), asyncio.TaskGroup() as group:
            dialling = group.create_task(dial_by_consumer(client, outcome))
            await until(lambda: len(asked) > 10)
            leases = Bucket(client.jetstream(), LEASES.name)
            killed = (await leases.read(f"run.{run_id}")).value

            async def has_another_holder() -> bool:
                return (await leases.read(f"run.{run_id}")).value not in {None, killed}

            process.send_signal(signal.SIGKILL)
            await process.wait()
            await until(has_another_holder, 10)
            await until(lambda: ended(log, run_id), 60)
            await end_tasks(dialling)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert asked == Counter((wave, no) for wave in (1, 2) for no in range(60))
