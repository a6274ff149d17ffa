"""The life of a service process: start, say that it is ready, drain, stop."""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

import structlog
from faststream.nats import NatsBroker
from nats.js import JetStreamContext

from cato_runtime.broker import connect, ensure_topology, make_broker
from cato_runtime.clock import Clock, SystemClock
from cato_runtime.config import Config, load_config
from cato_runtime.errors import BrokerError, ConfigurationError
from cato_runtime.logs import configure_logging
from cato_runtime.objects import NatsObjectStore, ObjectStore
from cato_runtime.requests import Requester, RequestTable, serve_requests
from cato_runtime.settings import ServiceSettings

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


Build = Callable[[Surroundings], Awaitable[Service]]


def ping_subject(service: str) -> str:
    """Return the subject on which a service that is ready answers."""
    return f"ping.{service}"


def run_service(name: str, build: Build) -> None:
    """Run the service until SIGTERM or SIGINT; the body of its `main`."""
    settings = ServiceSettings()
    configure_logging(name, settings)
    try:
        config = load_config(settings.config)
        asyncio.run(_run(name, build, settings, config))
    except ConfigurationError as error:
        log.error("cannot start", reason=str(error))  # noqa: TRY400 - the message says it all
        sys.exit(_EXIT_CONFIGURATION)
    except BrokerError as error:
        log.error("cannot start", reason=str(error))  # noqa: TRY400 - as above
        sys.exit(_EXIT_UNAVAILABLE)


async def _run(name: str, build: Build, settings: ServiceSettings, config: Config) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    broker = make_broker(settings.nats_url, name)
    client = await connect(broker)
    js = client.jetstream(timeout=10)
    try:
        await ensure_topology(js)
        clock = SystemClock()
        service = await build(
            Surroundings(settings, config, broker, js, NatsObjectStore(js), Requester(broker, clock), clock)
        )
        await _serve(name, service, broker, settings, stopping)
    finally:
        await broker.stop()
        log.info("stopped")


async def _serve(
    name: str, service: Service, broker: NatsBroker, settings: ServiceSettings, stopping: asyncio.Event
) -> None:
    try:
        await service.start()
        serve_requests(broker, service.requests, service=name)
        broker.subscriber(ping_subject(name), queue=name, include_in_schema=False, decoder=_ignore)(_pong)
        await broker.start()
        log.info("ready")
        await stopping.wait()
        log.info("draining")
        try:
            async with asyncio.timeout(settings.drain_seconds):
                await service.drain()
        except TimeoutError:
            log.warning("drain took too long", seconds=settings.drain_seconds)
    finally:
        await service.stop()


async def _ignore(_message: Any) -> bytes:
    return b""


async def _pong(_body: bytes) -> bytes:
    return b"ready"
