"""Liveness, readiness and metrics endpoint for a service that has no HTTP server."""

import asyncio
import platform
import socket
from collections.abc import AsyncIterator, Callable, Generator, Iterable
from contextlib import asynccontextmanager, contextmanager
from enum import StrEnum
from typing import Any

import structlog
import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cato_contracts.errors import ConfigurationError
from cato_runtime.configuration.settings import ServiceSettings
from cato_runtime.process.release import release
from cato_runtime.scrape_targets import scrape_target

log = structlog.get_logger()

_PORT_FILE = "health.port"
_STOP_TIMEOUT_S = 2
_NOT_READY = 503

Read = Callable[[], float]


class Phase(StrEnum):
    """The phases of a service process."""

    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"


class Health:
    """The state of the process: `run_service` sets it, the endpoint shows it.

    `broker_connected`, `broker_closed`, `broker_reconnects`, `storage_fault` and `detail` are read at each
    request to the endpoint. `detail` returns further fields of `/readyz`; they do not decide whether the
    service is ready.
    """

    def __init__(self, service: str) -> None:
        self.service = service
        self.phase = Phase.STARTING
        self.broker_connected: Read = _never
        self.broker_closed: Read = _never
        """A closed client never connects again: the process has to be replaced."""
        self.broker_reconnects: Read = _never
        self.storage_fault: Callable[[], str | None] = _no_fault
        """The reason why the broker stores no messages; None if it does."""
        self.detail: Callable[[], dict[str, Any]] = dict

    @property
    def alive(self) -> bool:
        return not self.broker_closed()

    @property
    def ready(self) -> bool:
        connected = bool(self.broker_connected())
        return self.phase is Phase.READY and connected and self.storage_fault() is None


def _never() -> float:
    return 0


def _no_fault() -> str | None:
    return None


class _HealthCollector(Collector):
    """The state of the process as metrics, read at each scrape."""

    def __init__(self, health: Health) -> None:
        self._health = health

    def collect(self) -> Iterable[Metric]:
        ready = GaugeMetricFamily("cato_ready", "1 while the service takes work.", labels=["service"])
        ready.add_metric([self._health.service], self._health.ready)
        yield ready
        draining = GaugeMetricFamily(
            "cato_draining", "1 while the service finishes its work in order to stop.", labels=["service"]
        )
        draining.add_metric([self._health.service], self._health.phase is Phase.DRAINING)
        yield draining
        connected = GaugeMetricFamily(
            "cato_broker_connected", "1 while there is a connection to the broker.", labels=["service"]
        )
        connected.add_metric([self._health.service], self._health.broker_connected())
        yield connected
        storing = GaugeMetricFamily(
            "cato_broker_storing", "0 while the broker stores no messages.", labels=["service"]
        )
        storing.add_metric([self._health.service], self._health.storage_fault() is None)
        yield storing
        reconnects = CounterMetricFamily(
            "cato_broker_reconnects", "How often the connection came back.", labels=["service"]
        )
        reconnects.add_metric([self._health.service], self._health.broker_reconnects())
        yield reconnects
        build = GaugeMetricFamily(
            "cato_build_info", "1; the labels say what runs.", labels=["service", "version", "python"]
        )
        build.add_metric([self._health.service, release(), platform.python_version()], 1)
        yield build


def health_app(health: Health, registry: CollectorRegistry = REGISTRY) -> Starlette:
    """Return `/healthz`, `/readyz` and `/metrics` (everything in the registry)."""

    async def healthz(_request: Request) -> Response:
        # A response shows that the event loop runs; also check for states that need a restart.
        if not health.alive:
            return JSONResponse({"status": "broker client closed"}, status_code=_NOT_READY)
        return JSONResponse({"status": "alive"})

    async def readyz(_request: Request) -> Response:
        body = {"status": str(health.phase), "broker": bool(health.broker_connected()), **health.detail()}
        if fault := health.storage_fault():
            body["storageFault"] = fault
        return JSONResponse(body, status_code=200 if health.ready else _NOT_READY)

    async def metrics(_request: Request) -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return Starlette(
        routes=[Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)]
    )


class _Server(uvicorn.Server):
    """An HTTP server that leaves signals to the service."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


@asynccontextmanager
async def serve_health(health: Health, settings: ServiceSettings) -> AsyncIterator[int | None]:
    """Serve the endpoint while the body runs, if a port is set; yields the port.

    With port 0 the system chooses one, and `health_port_file` or `<data_dir>/health.port` says which.

    Raises:
        ConfigurationError: if the address cannot be bound.

    """
    if settings.health_port is None:
        yield None
        return
    listener = _bind(settings.health_host, settings.health_port)
    port: int = listener.getsockname()[1]
    if settings.health_port == 0:
        file = settings.health_port_file or settings.data_dir / _PORT_FILE
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{port}\n")
    collector = _HealthCollector(health)
    REGISTRY.register(collector)
    server = _Server(
        uvicorn.Config(
            health_app(health),
            log_config=None,
            log_level="warning",
            access_log=False,
            lifespan="off",
            ws="none",
            timeout_graceful_shutdown=_STOP_TIMEOUT_S,
        )
    )
    serving = asyncio.create_task(server.serve(sockets=[listener]), name="health endpoint")
    log.info("health endpoint", host=settings.health_host, port=port)
    try:
        with scrape_target(settings.scrape_targets, health.service, settings.health_host, port):
            yield port
    finally:
        server.should_exit = True
        await serving
        listener.close()
        REGISTRY.unregister(collector)


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise ConfigurationError(f"the health endpoint cannot listen on {host}:{port}: {error}") from error
