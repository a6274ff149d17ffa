"""Broker and ClickHouse fixtures for integration tests.

By default both run locally: nats-server as a process, and ClickHouse's engine embedded.
With `CATO_TEST_INFRA=docker` they are containers. A `conftest.py` imports the fixtures.
"""

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from faststream.nats import NatsBroker
from nats.aio.client import Client
from nats.js import JetStreamContext

from cato_runtime.broker import connect, ensure_topology, make_broker
from cato_runtime.process.embedded_nats import EmbeddedNats

NATS_IMAGE = "nats:2.11-alpine"
CLICKHOUSE_IMAGE = "clickhouse/clickhouse-server:25.8-alpine"
IN_DOCKER = os.environ.get("CATO_TEST_INFRA") == "docker"
_PASSWORD = "test"


@dataclass(frozen=True, slots=True)
class Bus:
    """A connection to a broker with all streams and buckets, which are empty."""

    url: str
    broker: NatsBroker
    client: Client
    js: JetStreamContext


@pytest.fixture
async def nats_url(tmp_path: Path) -> AsyncIterator[str]:
    """The URL of an empty broker."""
    if IN_DOCKER:
        with _running(NATS_IMAGE, 4222, _nats_ready) as address:
            yield f"nats://{address}"
    else:
        async with EmbeddedNats(tmp_path / "nats") as server:
            yield server.url


@pytest.fixture
async def bus(nats_url: str) -> AsyncIterator[Bus]:
    async with bus_at(nats_url) as made:
        yield made


@asynccontextmanager
async def bus_at(url: str) -> AsyncIterator[Bus]:
    broker = make_broker(url, "test")
    client = await connect(broker)
    js = client.jetstream(timeout=10)
    try:
        await ensure_topology(js)
        yield Bus(url, broker, client, js)
    finally:
        await broker.stop()


@pytest.fixture(scope="session")
def clickhouse_server() -> Iterator[str | None]:
    """The URL of a server in a container; None if the engine is embedded."""
    if not IN_DOCKER:
        yield None
        return
    environment = {
        "CLICKHOUSE_USER": "test",
        "CLICKHOUSE_PASSWORD": _PASSWORD,
        "CLICKHOUSE_DEFAULT_ACCESS_MANAGEMENT": "1",
    }
    with _running(CLICKHOUSE_IMAGE, 8123, _clickhouse_ready, **environment) as address:
        yield f"http://test:{_PASSWORD}@{address}"


@pytest.fixture
def clickhouse_dsn(clickhouse_server: str | None, tmp_path: Path) -> str:
    """The DSN of an empty database. An embedded database can be open in one process at a time."""
    if clickhouse_server is None:
        return f"chdb://{tmp_path / 'clickhouse'}"
    import clickhouse_connect  # noqa: PLC0415 - loads slowly, and most tests do not need it

    name = f"test_{uuid4().hex}"
    client = clickhouse_connect.get_client(dsn=clickhouse_server)
    client.command(f"CREATE DATABASE {name}")
    client.close()
    return f"{clickhouse_server}/{name}"


@contextmanager
def _running(image: str, port: int, ready: Callable[[], Any], **environment: str) -> Iterator[str]:
    """Run a container and yield host and port; without a Docker engine the test is skipped."""
    # Imported here, because most machines have no Docker engine and the libraries load slowly.
    from docker.errors import DockerException  # noqa: PLC0415
    from testcontainers.core.container import DockerContainer  # noqa: PLC0415

    try:
        container = DockerContainer(image).with_exposed_ports(port).waiting_for(ready())
        for name, value in environment.items():
            container = container.with_env(name, value)
        if image == NATS_IMAGE:
            container = container.with_command("-js")
        container.start()
    except DockerException as error:
        pytest.skip(f"NOT TESTED: CATO_TEST_INFRA=docker, but no container can be started: {error}")
    try:
        yield f"{container.get_container_host_ip()}:{container.get_exposed_port(port)}"
    finally:
        container.stop()


def _nats_ready() -> Any:
    from testcontainers.core.wait_strategies import LogMessageWaitStrategy  # noqa: PLC0415

    return LogMessageWaitStrategy("Server is ready")


def _clickhouse_ready() -> Any:
    from testcontainers.core.wait_strategies import HttpWaitStrategy  # noqa: PLC0415

    return HttpWaitStrategy(8123, "/ping")


class ChdbOverHttp:
    """ClickHouse's engine behind HTTP in a process that can be killed and suspended."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._port = 0
        self._process: subprocess.Popen[str] | None = None

    @property
    def dsn(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start the server; after `kill` it starts on the same port."""
        program = Path(__file__).with_name("chdb_http.py")
        self._process = subprocess.Popen(
            [sys.executable, str(program), str(self._directory), str(self._port)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self._port = int(self._process.stdout.readline())

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def hang(self) -> None:
        """Suspend the process: it accepts connections and does not answer."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


@pytest.fixture
def clickhouse_over_http(tmp_path: Path) -> Iterator[ChdbOverHttp]:
    server = ChdbOverHttp(tmp_path / "clickhouse-http")
    server.start()
    yield server
    server.stop()
