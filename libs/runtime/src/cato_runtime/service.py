"""The life of a service process: start, say that it is ready, drain, stop."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import structlog
from faststream.nats import NatsBroker
from nats.js import JetStreamContext

from cato_contracts.errors import BrokerError, ConfigurationError
from cato_runtime.broker import connect, ensure_topology, make_broker
from cato_runtime.clock import Clock, SystemClock
from cato_runtime.config import Config, load_config
from cato_runtime.garbage import collect_seldom
from cato_runtime.health import Health, Phase, serve_health
from cato_runtime.logs import configure_logging
from cato_runtime.objects import NatsObjectStore, ObjectStore
from cato_runtime.requests import Requester, RequestTable, serve_requests
from cato_runtime.settings import ServiceSettings
from cato_runtime.tasks import end_tasks

log = structlog.get_logger()

_EXIT_CONFIGURATION = 78  # EX_CONFIG of sysexits.h
_EXIT_UNAVAILABLE = 69  # EX_UNAVAILABLE


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a service is built from."""

    settings: ServiceSettings
    config: Config
    broker: NatsBroker
    js: JetStreamContext
    objects: ObjectStore
    requester: Requester
    clock: Clock


class Service(Protocol):
    """What a service's `bootstrap` makes."""

    @property
    def requests(self) -> RequestTable:
        """Return the requests that it answers; they are taken from the end of `start` on."""
        ...

    async def start(self) -> None:
        """Begin to work; returns when the service can take requests."""
        ...

    async def drain(self) -> None:
        """Take no new work and finish what is in hand; requests are still answered."""
        ...

    async def stop(self) -> None:
        """Let go of everything; after `drain`, or instead of it."""
        ...


@runtime_checkable
class Reloadable(Protocol):
    """A service that can take over a changed configuration while it works."""

    async def reload(self, config: Config) -> None:
        """Go on with this configuration.

        Raises:
            ConfigurationError: if it cannot; the service then goes on with the one that it has.

        """
        ...


Build = Callable[[Surroundings], Awaitable[Service]]


def ping_subject(service: str) -> str:
    """Return the subject on which a service that is ready answers."""
    return f"ping.{service}"


def run_service(name: str, build: Build) -> None:
    """Run the service until SIGTERM or SIGINT; the body of its `main`."""
    settings = ServiceSettings()
    configure_logging(name, settings)
    collect_seldom()
    try:
        config = load_config(settings.config)
        asyncio.run(_run(name, build, settings, config))
    except ConfigurationError as error:
        log.error("cannot start", reason=str(error))  # noqa: TRY400 - the message says it all
        sys.exit(_EXIT_CONFIGURATION)
    except BrokerError as error:
        log.error("cannot start", reason=str(error))  # noqa: TRY400 - as above
        sys.exit(_EXIT_UNAVAILABLE)


@dataclass(slots=True)
class _Signals:
    """What the outside asks for: an end by SIGTERM or SIGINT, another configuration by SIGHUP."""

    stop: asyncio.Event = field(default_factory=asyncio.Event)
    reload: asyncio.Event = field(default_factory=asyncio.Event)

    def listen(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop.set)
        loop.add_signal_handler(signal.SIGHUP, self.reload.set)


async def _run(name: str, build: Build, settings: ServiceSettings, config: Config) -> None:
    signals = _Signals()
    signals.listen()
    health = Health(name)
    async with serve_health(health, settings):
        broker = make_broker(settings.nats_url, name)
        client = await connect(broker)
        health.broker_connected = lambda: client.is_connected
        health.broker_closed = lambda: client.is_closed
        health.broker_reconnects = lambda: client.stats["reconnects"]
        js = client.jetstream(timeout=10)
        try:
            await ensure_topology(js, replicas=settings.nats_replicas)
            clock = SystemClock()
            service = await build(
                Surroundings(
                    settings, config, broker, js, NatsObjectStore(js), Requester(broker, clock), clock
                )
            )
            await _serve(service, broker, settings, signals, health)
        finally:
            await broker.stop()
            log.info("stopped")


async def _serve(
    service: Service, broker: NatsBroker, settings: ServiceSettings, signals: _Signals, health: Health
) -> None:
    try:
        await service.start()
        serve_requests(broker, service.requests, service=health.service)
        broker.subscriber(
            ping_subject(health.service), queue=health.service, include_in_schema=False, decoder=_ignore
        )(_pong)
        await broker.start()
        async with _reloading(service, settings, signals.reload):
            health.phase = Phase.READY
            log.info("ready")
            await signals.stop.wait()
        health.phase = Phase.DRAINING
        log.info("draining")
        try:
            async with asyncio.timeout(settings.drain_seconds):
                await service.drain()
        except TimeoutError:
            log.warning("drain took too long", seconds=settings.drain_seconds)
    finally:
        await service.stop()


@asynccontextmanager
async def _reloading(
    service: Service, settings: ServiceSettings, requested: asyncio.Event
) -> AsyncIterator[None]:
    """Take over the configuration file whenever that is asked for, until the body ends."""

    async def listen() -> None:
        while True:
            await requested.wait()
            requested.clear()
            await _reload(service, settings)

    listener = asyncio.create_task(listen(), name="reload")
    try:
        yield
    finally:
        await end_tasks(listener)


async def _reload(service: Service, settings: ServiceSettings) -> None:
    if not isinstance(service, Reloadable):
        log.warning("this service reads its configuration at its start only")
        return
    try:
        await service.reload(load_config(settings.config))
    except ConfigurationError as error:
        log.error("configuration not taken over", reason=str(error))  # noqa: TRY400 - the message says it all
    except Exception:
        # A fault here must not end calls that are up.
        log.exception("configuration not taken over")
    else:
        log.info("configuration taken over")


async def _ignore(_message: Any) -> bytes:
    return b""


async def _pong(_body: bytes) -> bytes:
    return b"ready"
