from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import nats
import pytest
from nats.aio.client import Client

from cato_jetstream import JetStreamLog, Log
from tests.support.memory_log import MemoryLog
from tests.support.nats_server import NatsServer


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    """One server for all the tests that leave it alone."""
    server = NatsServer(tmp_path_factory.mktemp("nats"))
    yield server
    server.stop()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[NatsServer]:
    """A server of the test's own, to be killed."""
    server = NatsServer(tmp_path)
    yield server
    server.stop()


async def connect(server: NatsServer) -> Client:
    async def ignore(_: Exception) -> None:
        """Silence the client's reports of lost connections; the tests check the behaviour of the log."""

    return await nats.connect(
        server.url, max_reconnect_attempts=-1, reconnect_time_wait=0.05, error_cb=ignore, connect_timeout=5
    )


@pytest.fixture
async def client(server: NatsServer) -> AsyncIterator[Client]:
    client = await connect(server)
    yield client
    await client.close()


@pytest.fixture(params=["memory", "jetstream", "jetstream without direct gets"])
async def log(request: pytest.FixtureRequest) -> AsyncIterator[Log]:
    """An empty log with the subjects ev.> and run.>"""
    if request.param == "memory":
        yield MemoryLog()
        return
    client = await connect(request.getfixturevalue("shared_server"))
    stream = f"S{uuid4().hex}"
    direct = request.param == "jetstream"
    await client.jetstream().add_stream(name=stream, subjects=["ev.>", "run.>"], allow_direct=direct)
    yield JetStreamLog(client, stream)
    await client.jetstream().delete_stream(stream)
    await client.close()
