import asyncio
import json
import os
import resource
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from cato_runtime.broker import connect, ensure_topology, make_broker
from cato_runtime.objects import NatsObjectStore
from cato_runtime.process.embedded_nats import EmbeddedNats
from cato_runtime.requests import serve_requests
from cato_runtime.service import ping_subject
from tests.support.gateway.services import MemoryServices
from tests.support.preloaded.process import AsyncPreloadedProcess

DEADLINE_S = 60
_MAIN = "cato_gateway.entrypoints.main"


@dataclass
class GatewayProcess:
    """A gateway as an operator runs it."""

    process: asyncio.subprocess.Process | AsyncPreloadedProcess
    log: list[dict[str, Any]] = field(default_factory=list)

    async def logged(self, event: str) -> dict[str, Any]:
        """Wait for a line of the log."""
        assert self.process.stderr is not None
        async with asyncio.timeout(DEADLINE_S):
            while line := await self.process.stderr.readline():
                self.log.append(json.loads(line))
                if self.log[-1]["event"] == event:
                    return self.log[-1]
        raise AssertionError(f"ended without {event!r}: {self.log}")

    async def ended(self) -> tuple[int, bytes]:
        """Wait for the end; return exit status and standard output."""
        async with asyncio.timeout(DEADLINE_S):
            output, _ = await self.process.communicate()
        assert self.process.returncode is not None
        return self.process.returncode, output


@asynccontextmanager
async def run_gateway(
    url: str, *, descriptors: int | None = None, **environment: str
) -> AsyncIterator[GatewayProcess]:
    variables = {**os.environ, "CATO_NATS_URL": url, "CATO_PORT": "0", **environment}
    outputs = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process: asyncio.subprocess.Process | AsyncPreloadedProcess
    if descriptors is None:
        process = await AsyncPreloadedProcess.start(
            f"{_MAIN}:main", ["cato-gateway"], env=variables, **outputs
        )
    else:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", _MAIN),
            env=variables,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors)),
            **outputs,
        )
    try:
        yield GatewayProcess(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


@pytest.fixture
async def nats(tmp_path: Path) -> AsyncIterator[EmbeddedNats]:
    async with EmbeddedNats(tmp_path / "nats") as server:
        yield server


@pytest.fixture
async def services(nats: EmbeddedNats) -> AsyncIterator[MemoryServices]:
    """The services' answers, over the broker."""
    broker = make_broker(nats.url, "services")
    js = (await connect(broker)).jetstream()
    await ensure_topology(js)
    services = MemoryServices(NatsObjectStore(js))
    serve_requests(broker, services.table, service="memory")

    async def pong(_: bytes) -> bytes:
        return b"ready"

    for name in ("media", "dialer", "reporting"):
        broker.subscriber(ping_subject(name))(pong)
    await broker.start()
    yield services
    await broker.stop()


@pytest.fixture
def gateway(nats: EmbeddedNats) -> Callable[..., Any]:
    return lambda **options: run_gateway(nats.url, **options)


@asynccontextmanager
async def client_of(gateway: GatewayProcess, token: str = "default") -> AsyncIterator[httpx.AsyncClient]:
    port = (await gateway.logged("listening"))["port"]
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}",
        headers={"Authorization": f"Bearer plain:{token}"},
        timeout=DEADLINE_S,
    ) as client:
        yield client


@pytest.fixture
def connected() -> Callable[[GatewayProcess], Any]:
    return client_of
