"""Fill the log, and read it as fast as possible."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable

from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from bench.reporting.big_run import BigRun, Message
from cato_contracts.subjects import RUNS
from cato_jetstream import PullFeed
from cato_runtime.objects import NatsObjectStore

_FLUSH_EVERY = 500
_MOST_UNSTORED = 5_000
"""The broker drops messages of a stream when 10,000 of them wait to be stored."""


async def keep_list(js: JetStreamContext, run: BigRun) -> None:
    """Store the list of subscribers where the run's snapshot says."""

    async def pieces() -> AsyncIterator[bytes]:
        piece = bytearray()
        for line in run.list_lines():
            piece += line
            if len(piece) > 100_000:
                yield bytes(piece)
                piece.clear()
        yield bytes(piece)

    ref = run.list_ref
    await NatsObjectStore(js).put(ref.bucket, ref.name, pieces())


async def fill(client: Client, js: JetStreamContext, messages: Iterable[Message]) -> int:
    """Publish the messages as fast as the broker accepts them; return the last position."""
    before = (await js.stream_info(RUNS.name)).state.last_seq
    count = 0
    for message in messages:
        await client.publish(message.subject, message.data, headers=message.headers)
        count += 1
        if count % _FLUSH_EVERY == 0:
            await client.flush(timeout=60)
            await _stored(js, before + count - _MOST_UNSTORED)
    await client.flush(timeout=60)
    return await _stored(js, before + count)


async def _stored(js: JetStreamContext, position: int) -> int:
    """Wait until the log has this position, and return its last one."""
    async with asyncio.timeout(300):
        while (end := (await js.stream_info(RUNS.name)).state.last_seq) < position:
            await asyncio.sleep(0.01)
    return int(end)


async def read_rate(client: Client, js: JetStreamContext, count: int) -> float:
    """Return messages per second of a reader that does nothing else."""
    name = "bench-floor"
    config = ConsumerConfig(
        name=name, deliver_policy=DeliverPolicy.ALL, ack_policy=AckPolicy.NONE, mem_storage=True
    )
    await js.add_consumer(RUNS.name, config)
    feed = PullFeed(client, RUNS.name, name)
    await feed.open()
    try:
        taken = 0
        began = time.perf_counter()
        while taken < count:
            taken += len(await feed.take(1_000))
        return taken / (time.perf_counter() - began)
    finally:
        await feed.close()
        await js.delete_consumer(RUNS.name, name)
