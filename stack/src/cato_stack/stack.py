"""The whole system on one machine: broker and services as child processes."""

import asyncio
import fcntl
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import httpx
import structlog

from cato_contracts.errors import ConfigurationError
from cato_runtime.configuration.config import load_config
from cato_runtime.process.embedded_nats import EmbeddedNats
from cato_stack.broker_keeper import BrokerKeeper
from cato_stack.supervisor import ProcessSpec, Supervised

log = structlog.get_logger()

_READY_TIMEOUT_S = 60.0
_READY_POLL_S = 0.05
_STOP_TIMEOUT_S = 45.0

_COMMANDS = {
    "media": "cato-media",
    "reporting": "cato-reporting",
    "dialer": "cato-dialer",
    "api-gateway": "cato-gateway",
}
"""The services in start order; they stop in reverse order."""


@dataclass(frozen=True, slots=True)
class StackOptions:
    """Address, configuration and data directory of a stack."""

    data_dir: Path
    host: str
    port: int
    config: Path | None
    log_file: Path | None = None
    """Log file of the services; None: standard error."""

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


@asynccontextmanager
async def running_stack(options: StackOptions) -> AsyncIterator[None]:
    """Start broker and services, run the body while they are ready, and stop them.

    Raises:
        ConfigurationError: if the configuration is invalid, another stack uses the data directory, or the
            services do not become ready.

    """
    load_config(options.config)
    options.data_dir.mkdir(parents=True, exist_ok=True)
    with _exclusive(options.data_dir / "lock"):
        url = os.environ.get("CATO_NATS_URL")
        keeper = None
        if url is None:
            server = EmbeddedNats(options.data_dir / "nats")
            keeper = BrokerKeeper(server)
            await keeper.start()
            url = server.url
        # Operators use it to inspect the broker or to add a dialer.
        (options.data_dir / "broker.url").write_text(f"{url}\n")
        services = _services(options, url)
        loop = asyncio.get_running_loop()
        try:
            for service in services:
                await service.start()
            await _wait_until_ready(options, services)
            loop.add_signal_handler(signal.SIGHUP, _reload, services)
            yield
        finally:
            loop.remove_signal_handler(signal.SIGHUP)
            for service in reversed(services):
                await service.stop(_STOP_TIMEOUT_S)
            if keeper is not None:
                await keeper.stop()


def _reload(services: list[Supervised]) -> None:
    for service in services:
        service.reload()


def _services(options: StackOptions, nats_url: str) -> list[Supervised]:
    environment = {
        **os.environ,
        "CATO_NATS_URL": nats_url,
        "CATO_DATA_DIR": str(options.data_dir),
        "CATO_HOST": options.host,
        "CATO_PORT": str(options.port),
    }
    if options.config is not None:
        environment["CATO_CONFIG"] = str(options.config)
    pid_dir = options.data_dir / "pids"
    pid_dir.mkdir(exist_ok=True)
    programs = Path(sys.executable).parent
    return [
        Supervised(
            ProcessSpec(name, [str(programs / command)], environment), pid_dir, log_file=options.log_file
        )
        for name, command in _COMMANDS.items()
    ]


async def _wait_until_ready(options: StackOptions, services: list[Supervised]) -> None:
    try:
        async with asyncio.timeout(_READY_TIMEOUT_S), httpx.AsyncClient(base_url=options.url) as client:
            while True:
                for service in services:
                    if service.refuses_to_start:
                        raise ConfigurationError(
                            f"{service.spec.name} rejected its configuration; see its log"
                        )
                try:
                    answer = await client.get("/readyz")
                except httpx.TransportError:
                    answer = None
                if answer is not None and answer.is_success:
                    return
                await asyncio.sleep(_READY_POLL_S)
    except TimeoutError as error:
        raise ConfigurationError(f"the services were not ready within {_READY_TIMEOUT_S:g} s") from error


def _exclusive(path: Path) -> IO[str]:
    """Return the open lock file of a data directory; closing it releases the lock."""
    file = path.open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise ConfigurationError(f"{path.parent} is in use by another stack") from error
    return file
