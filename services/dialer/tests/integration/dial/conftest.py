"""A real broker with the topology of the contracts."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import nats
import pytest
from nats.aio.client import Client
from nats.js.api import AckPolicy, ConsumerConfig

from cato_contracts.api.resources import NotificationSettings, SuccessCondition
from cato_contracts.envelope import Envelope
from cato_contracts.messages.jobs import DialJob, RunDispatchState, RunMode
from cato_contracts.messages.runs import Prompt, RunSubscriber
from cato_contracts.objects import Bucket, ObjectRef
from cato_contracts.subjects import DIAL, RUN_DISPATCH_STATES, dial_consumer, dial_job
from cato_runtime.broker import ensure_topology
from cato_runtime.process.embedded_nats import EmbeddedNats


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[EmbeddedNats]:
    async with EmbeddedNats(tmp_path / "nats") as running:
        client = await nats.connect(running.url)
        await ensure_topology(client.jetstream())
        await client.close()
        yield running


async def _quiet(_error: Exception) -> None:
    return None


@pytest.fixture
async def connect(server: EmbeddedNats) -> AsyncIterator[Callable[[], Awaitable[Client]]]:
    clients: list[Client] = []

    async def one_more() -> Client:
        client = await nats.connect(
            server.url, error_cb=_quiet, reconnect_time_wait=0.1, max_reconnect_attempts=-1
        )
        clients.append(client)
        return client

    yield one_more
    for client in clients:
        if not client.is_closed:
            with contextlib.suppress(OSError):  # a connection that the broker's crash has already ended
                await client.close()


class Coordinator:
    """The part of the campaign role that dialers need: run states, consumers, jobs."""

    def __init__(self, client: Client) -> None:
        self._js = client.jetstream()
        self.client = client

    async def start_run(self, *, priority: int = 0, ack_wait: float = 1.0) -> UUID:
        run_id = uuid4()
        await self._js.add_consumer(
            DIAL.name,
            ConsumerConfig(
                durable_name=dial_consumer(run_id),
                filter_subject=f"dial.{run_id}.>",
                ack_policy=AckPolicy.EXPLICIT,
                ack_wait=ack_wait,
                max_ack_pending=1000,
            ),
        )
        await self.set_mode(run_id, RunMode.CALLING, priority=priority)
        return run_id

    async def set_mode(self, run_id: UUID, mode: RunMode, *, priority: int = 0, hangup: bool = False) -> None:
        bucket = await self._js.key_value(RUN_DISPATCH_STATES.name)
        state = RunDispatchState(run_id=run_id, priority=priority, mode=mode, hangup=hangup)
        await bucket.put(str(run_id), state.model_dump_json().encode())

    async def end_run(self, run_id: UUID) -> None:
        bucket = await self._js.key_value(RUN_DISPATCH_STATES.name)
        await bucket.delete(str(run_id))
        await self._js.delete_consumer(DIAL.name, dial_consumer(run_id))

    async def put(self, run_id: UUID, *numbers: int, wave: int = 1) -> None:
        for no in numbers:
            await self._js.publish(dial_job(run_id, wave, no), self.envelope(make_job(run_id, no, wave)))

    def envelope(self, job: DialJob) -> bytes:
        event_id = f"{job.run_id}:{job.subscriber.no}:{job.wave}"
        return Envelope[DialJob].wrap(job, event_id=event_id, occurred_at=datetime.now(UTC)).encode()

    async def queued(self) -> int:
        return (await self._js.stream_info(DIAL.name)).state.messages

    async def in_hand(self, run_id: UUID) -> int:
        info = await self._js.consumer_info(DIAL.name, dial_consumer(run_id))
        return info.num_ack_pending or 0


def make_job(run_id: UUID, no: int, wave: int = 1) -> DialJob:
    return DialJob(
        run_id=run_id,
        wave=wave,
        subscriber=RunSubscriber(no=no, id=uuid4(), full_name=f"N{no}", phones=[f"100{no}"]),
        settings=NotificationSettings(
            id=uuid4(),
            user_id="user",
            name="all",
            attempt_count=1,
            success_condition=SuccessCondition.PICKUP_PHONE,
        ),
        time_zone="Europe/Moscow",
        prompt=Prompt(audio=ObjectRef(bucket=Bucket.PROMPTS, name="p", size=8000), duration_ms=1000),
        priority=0,
        expires_at=None,
    )


@pytest.fixture
async def coordinator(connect: Callable[[], Awaitable[Client]]) -> Coordinator:
    return Coordinator(await connect())


@pytest.fixture
def job_of() -> Any:
    return make_job
