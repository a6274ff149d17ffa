"""The whole system on one machine: broker and services as child processes."""

import asyncio
import errno
import fcntl
import os
import signal
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import IO

import structlog

from cato_contracts.errors import ConfigurationError
from cato_runtime.configuration.config import Config, load_config
from cato_runtime.process.embedded_nats import EmbeddedNats
from cato_stack.broker_keeper import BrokerKeeper
from cato_stack.forked_process import ForkServerProcess, ProcessSpec
from cato_stack.supervisor import Supervised

log = structlog.get_logger()

_READY_TIMEOUT_S = 60.0
_READY_POLL_S = 0.05
_ANSWER_S = 5.0
_STOP_TIMEOUT_S = 45.0

_METRICS = "metrics"
_GATEWAY = "api-gateway"
_CONSOLE = "console"
_PROGRAMS = {
    "media": "media",
    "reporting": "reporting",
    "dialer": "dialer",
    "api-gateway": "gateway",
}
"""The services in start order, and the names of their programs; they stop in reverse order.

The console comes last.
"""


@dataclass(frozen=True, slots=True)
class StackOptions:
    """Address, configuration and data directory of a stack."""

    data_dir: Path
    host: str
    port: int
    config: Path | None
    log_file: Path | None = None
    """Log file of the services; None: standard error."""
    console_port: int | None = None
    """Port of the web pages for dispatchers; None: no console."""

    @property
    def url(self) -> str:
        return self._address(self.port)

    @property
    def console_url(self) -> str | None:
        return None if self.console_port is None else self._address(self.console_port)

    def _address(self, port: int) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{port}"


@asynccontextmanager
async def running_stack(
    options: StackOptions, server: ForkServerProcess | None = None
) -> AsyncIterator["RunningStack"]:
    """Start broker and services, run the body while they are ready, and stop them.

    The services are forked from `server`, which ends with them.

    Raises:
        ConfigurationError: if the configuration is invalid, another stack uses the data directory, or the
            services do not become ready.

    """
    async with aclosing(server or ForkServerProcess()) as forks:
        config = load_config(options.config)
        check_address(options.host, options.port)
        if options.console_port is not None:
            check_address(options.host, options.console_port)
        options.data_dir.mkdir(parents=True, exist_ok=True)
        with _exclusive(options.data_dir / "lock"):
            async with _running(options, config, forks) as running:
                yield running


@asynccontextmanager
async def _running(
    options: StackOptions, config: Config, forks: ForkServerProcess
) -> AsyncIterator["RunningStack"]:
    url = os.environ.get("CATO_NATS_URL")
    keeper = None
    if url is None:
        broker = EmbeddedNats(options.data_dir / "nats")
        keeper = BrokerKeeper(broker)
        await keeper.start()
        url = broker.url
    # Operators use it to inspect the broker or to add a dialer.
    (options.data_dir / "broker.url").write_text(f"{url}\n")
    services = _services(options, config, url, forks)
    loop = asyncio.get_running_loop()
    try:
        for service in services:
            await service.start()
        await _wait_until_ready(options, services)
        running = RunningStack(services)
        loop.add_signal_handler(signal.SIGHUP, running.reload)
        yield running
    finally:
        loop.remove_signal_handler(signal.SIGHUP)
        for service in reversed(services):
            await service.stop(_STOP_TIMEOUT_S)
        if keeper is not None:
            await keeper.stop()


class RunningStack:
    """A stack that is ready, or being stopped."""

    def __init__(self, services: Sequence[Supervised]) -> None:
        self._services = services

    def reload(self) -> None:
        """Have the services read their configuration again."""
        for service in self._services:
            service.reload()

    def hurry(self) -> None:
        """Have a service that is being stopped end its work in progress."""
        for service in self._services:
            service.hurry()


def check_address(host: str, port: int) -> None:
    """Check that the address of the API is free.

    Otherwise the answers of the program that has it would be taken for those of our gateway.

    Raises:
        ConfigurationError: naming the address and the reason.

    """
    bare = host.strip("[]")
    family = socket.AF_INET6 if ":" in bare else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((bare, port))
    except OSError as error:
        hint = "; another program, or another stack, uses it" if error.errno == errno.EADDRINUSE else ""
        raise ConfigurationError(f"cannot listen on {host}:{port}: {error.strerror}{hint}") from error


def _services(
    options: StackOptions, config: Config, nats_url: str, server: ForkServerProcess
) -> list[Supervised]:
    environment = {
        **os.environ,
        "CATO_NATS_URL": nats_url,
        "CATO_DATA_DIR": str(options.data_dir),
        "CATO_HOST": options.host,
        "CATO_PORT": str(options.port),
    }
    programs = dict(_PROGRAMS)
    if options.console_port is not None:
        programs[_CONSOLE] = _CONSOLE
        environment |= {
            "CATO_CONSOLE_API_URL": options.url,
            "CATO_CONSOLE_HOST": options.host,
            "CATO_CONSOLE_PORT": str(options.console_port),
            "CATO_CONSOLE_TIME_ZONE": config.time_zone,
        }
    if options.config is not None:
        environment["CATO_CONFIG"] = str(options.config)
    pid_dir = options.data_dir / "pids"
    pid_dir.mkdir(exist_ok=True)
    ports = options.data_dir / _METRICS
    ports.mkdir(exist_ok=True)
    for file in ports.glob("*.port"):
        file.unlink()
    return [
        Supervised(
            ProcessSpec(
                name,
                f"cato_{program}.entrypoints.main:main",
                f"cato-{program}",
                environment | _metrics_environment(name, ports),
            ),
            server,
            pid_dir,
            log_file=options.log_file,
        )
        for name, program in programs.items()
    ]


def _metrics_environment(service: str, ports: Path) -> dict[str, str]:
    """Return the settings by which `/metrics` of the gateway has the metrics of all services."""
    if service == _GATEWAY:
        return {"CATO_GATEWAY_METRICS_DIRECTORY": str(ports)}
    return {"CATO_HEALTH_PORT": "0", "CATO_HEALTH_PORT_FILE": str(ports / f"{service}.port")}


async def _wait_until_ready(options: StackOptions, services: list[Supervised]) -> None:
    try:
        async with asyncio.timeout(_READY_TIMEOUT_S):
            while True:
                answered = await asyncio.to_thread(_is_ready, options.host, options.port, "/readyz")
                if answered and options.console_port is not None:
                    answered = await asyncio.to_thread(
                        _is_ready, options.host, options.console_port, "/robots.txt"
                    )
                # Looked at after the answer, which could be that of another gateway.
                for service in services:
                    if service.refuses_to_start:
                        raise ConfigurationError(
                            f"{service.spec.name} rejected its configuration; see its log"
                        )
                if answered:
                    return
                await asyncio.sleep(_READY_POLL_S)
    except TimeoutError as error:
        raise ConfigurationError(f"the services were not ready within {_READY_TIMEOUT_S:g} s") from error


def _is_ready(host: str, port: int, path: str) -> bool:
    """Ask a service, without a proxy."""
    connection = HTTPConnection(host.strip("[]"), port, timeout=_ANSWER_S)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, HTTPException):  # nothing listens yet
        return False
    finally:
        connection.close()


def _exclusive(path: Path) -> IO[str]:
    """Return the open lock file of a data directory; closing it releases the lock."""
    file = path.open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise ConfigurationError(f"{path.parent} is in use by another stack") from error
    return file
