"""A cluster of three servers for the whole suite; each test has streams and buckets of its own."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest
from nats.aio.client import Client
from nats.js import JetStreamContext

from cato_contracts.errors import BrokerError
from cato_contracts.subjects import KEY_VALUE_BUCKETS, OBJECT_BUCKETS, STREAMS
from cato_jetstream import translated
from cato_runtime.broker import connect, ensure_topology, make_broker
from tests.support.nats_server import NatsCluster

REPLICAS = 3

Connect = Callable[..., Awaitable[Client]]


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsCluster]:
    cluster = NatsCluster(tmp_path_factory.mktemp("cluster"))
    yield cluster
    cluster.stop()


@pytest.fixture
async def cluster(servers: NatsCluster) -> AsyncIterator[NatsCluster]:
    """All three servers run, with every stream and bucket on all of them; what can be emptied is empty."""
    await asyncio.to_thread(servers.restart_missing)
    broker = make_broker(servers.url(0), "clean-up")
    js = (await connect(broker)).jetstream(timeout=1)
    await _empty_topology(js)
    yield servers
    await broker.stop()


@pytest.fixture
async def connected(cluster: NatsCluster) -> AsyncIterator[Connect]:
    """Connect as a service does, to the server with this number."""
    brokers = []

    async def one_more(number: int = 0) -> Client:
        broker = make_broker(cluster.url(number), f"test-{number}")
        brokers.append(broker)
        return await connect(broker)

    yield one_more
    for broker in brokers:
        await broker.stop()


async def _empty_topology(js: JetStreamContext) -> None:
    """Create missing streams and empty existing ones; wait for a leader after a server has restarted."""
    names = [
        *(stream.name for stream in STREAMS if not stream.append_only),
        *(f"KV_{bucket.name}" for bucket in KEY_VALUE_BUCKETS),
        *(f"OBJ_{name}" for name in OBJECT_BUCKETS),
    ]
    async with asyncio.timeout(30):
        while True:
            try:
                await ensure_topology(js, replicas=REPLICAS)
                for name in names:
                    with translated():
                        await js.purge_stream(name)
            except BrokerError:
                await asyncio.sleep(0.1)
            else:
                return
