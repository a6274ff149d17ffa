"""The life of a service process: start, report ready, drain, stop.

A service provides a `build` function for `run_service`. It returns an object with the methods of `Service`,
of `Reloadable` if it takes a changed configuration while it runs, and of `Detailed` if it says more in
`/readyz`.
"""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol, TypeVar, runtime_checkable

import structlog
from faststream.nats import NatsBroker
from nats.js import JetStreamContext

from cato_contracts.errors import BrokerError, ConfigurationError
from cato_runtime import tracing
from cato_runtime.broker import broker_of, connect, ensure_topology, patiently
from cato_runtime.broker_storage import BrokerStorage
from cato_runtime.clock import Clock, SystemClock
from cato_runtime.configuration.config import Config, load_for
from cato_runtime.configuration.settings import ServiceSettings
from cato_runtime.health import Health, Phase, serve_health
from cato_runtime.logs import configure_logging
from cato_runtime.objects import NatsObjectStore, ObjectStore
from cato_runtime.process.garbage import collect_each_minute, tune_gc
from cato_runtime.process.signals import on_stop_signal
from cato_runtime.process.tasks import end_tasks
from cato_runtime.requests import Requester, RequestTable, serve_requests
from cato_runtime.tracing.start import start_tracing

log = structlog.get_logger()

T = TypeVar("T")

_EXIT_CONFIGURATION = 78  # EX_CONFIG of sysexits.h
_EXIT_UNAVAILABLE = 69  # EX_UNAVAILABLE


@dataclass(frozen=True, slots=True)
class RuntimeDeps:
    """The parts of the runtime that every service is built from."""

    settings: ServiceSettings
    config: Config
    broker: NatsBroker
    js: JetStreamContext
    objects: ObjectStore
    requester: Requester
    storage: BrokerStorage
    clock: Clock


class Service(Protocol):
    """A service as its `bootstrap` builds it; `run_service` calls these methods in this order."""

    @property
    def requests(self) -> RequestTable:
        """Return the handlers of requests; requests are delivered from the end of `start` on."""
        ...

    async def start(self) -> None:
        """Start; returns when the service can take requests."""
        ...

    async def drain(self) -> None:
        """Take no new work and finish the work in progress; requests are still answered."""
        ...

    async def stop(self) -> None:
        """Release all resources; called after `drain`, or instead of it."""
        ...


@runtime_checkable
class Reloadable(Protocol):
    """A service that applies a changed configuration while it runs."""

    async def reload(self, config: Config) -> None:
        """Apply a configuration.

        Raises:
            ConfigurationError: it cannot be applied; the service keeps its present one.

        """
        ...


@runtime_checkable
class Detailed(Protocol):
    """A service that says more about itself in `/readyz`."""

    def detail(self) -> dict[str, Any]:
        """Return fields of `/readyz`; called at each request, so it must not block."""
        ...


@runtime_checkable
class Hurried(Protocol):
    """A service whose drain can be shortened: the second signal to stop."""

    def hurry(self) -> None:
        """End work in progress soon, so that `drain` returns."""
        ...


Build = Callable[[RuntimeDeps], Awaitable[Service]]


def ping_subject(service: str) -> str:
    """Return the subject on which a service that is ready answers."""
    return f"ping.{service}"


def run_service(name: str, build: Build) -> None:
    """Run the service until SIGTERM or SIGINT; the body of its `main`."""
    settings = ServiceSettings()
    configure_logging(name, settings)
    tune_gc()
    try:
        start_tracing(name)
        config = load_for(settings)
        asyncio.run(_run(name, build, settings, config))
    except _StoppedError:
        log.info("stopped before it was ready")
    except ConfigurationError as error:
        log.error("cannot start", reason=str(error))  # noqa: TRY400 - the message is enough
        sys.exit(_EXIT_CONFIGURATION)
    except BrokerError as error:
        log.error("cannot start", reason=str(error))  # noqa: TRY400 - as above
        sys.exit(_EXIT_UNAVAILABLE)
    finally:
        tracing.stop()


@dataclass(slots=True)
class _Signals:
    """SIGTERM and SIGINT stop the process, without patience if repeated; SIGHUP reloads the configuration."""

    stop: asyncio.Event = field(default_factory=asyncio.Event)
    hurry: asyncio.Event = field(default_factory=asyncio.Event)
    reload: asyncio.Event = field(default_factory=asyncio.Event)

    def listen(self) -> None:
        on_stop_signal(self._stop)
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self.reload.set)

    def _stop(self) -> None:
        (self.hurry if self.stop.is_set() else self.stop).set()


async def _run(name: str, build: Build, settings: ServiceSettings, config: Config) -> None:
    signals = _Signals()
    signals.listen()
    health = Health(name)
    async with serve_health(health, settings):
        broker = broker_of(settings, name)
        client = await _unless_stopped(signals.stop, connect(broker))
        health.broker_connected = lambda: client.is_connected
        health.broker_closed = lambda: client.is_closed
        health.broker_reconnects = lambda: client.stats["reconnects"]
        js = client.jetstream(timeout=10)
        try:
            topology = patiently(partial(ensure_topology, js, replicas=settings.nats_replicas))
            await _unless_stopped(signals.stop, topology)
            storage = BrokerStorage(client)
            health.storage_fault = lambda: storage.fault
            clock = SystemClock()
            objects, requester = NatsObjectStore(js), Requester(broker, clock)
            runtime = RuntimeDeps(settings, config, broker, js, objects, requester, storage, clock)
            service = await _unless_stopped(signals.stop, build(runtime))
            watch = asyncio.create_task(storage.watch(), name="broker storage")
            collector = asyncio.create_task(collect_each_minute(), name="garbage")
            try:
                await _serve(service, broker, settings, signals, health)
            finally:
                await end_tasks(watch, collector)
        finally:
            await broker.stop()
            log.info("stopped")


class _StoppedError(Exception):
    """The process is to stop before it is ready."""


async def _unless_stopped(stop: asyncio.Event, work: Awaitable[T]) -> T:
    """Return the result of a step of the start; cancel it when the process is to stop.

    Raises:
        _StoppedError: it was cancelled.

    """
    step = asyncio.ensure_future(work)
    stopped = asyncio.create_task(stop.wait(), name="signal during the start")
    try:
        await asyncio.wait({step, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if not step.done():
            raise _StoppedError
        return await step
    finally:
        await end_tasks(stopped, None if step.done() else step)


async def _serve(
    service: Service, broker: NatsBroker, settings: ServiceSettings, signals: _Signals, health: Health
) -> None:
    try:
        await _unless_stopped(signals.stop, service.start())
        serve_requests(broker, service.requests, service=health.service)
        broker.subscriber(
            ping_subject(health.service), queue=health.service, include_in_schema=False, decoder=_ignore
        )(_pong)
        await broker.start()
        if isinstance(service, Detailed):
            health.detail = service.detail
        async with _reloading(service, settings, signals.reload):
            health.phase = Phase.READY
            log.info("ready")
            await signals.stop.wait()
        health.phase = Phase.DRAINING
        log.info("draining")
        await _drain(service, settings, signals.hurry)
    finally:
        await service.stop()


async def _drain(service: Service, settings: ServiceSettings, hurry: asyncio.Event) -> None:
    drain = asyncio.create_task(service.drain(), name="drain")
    hurried = asyncio.create_task(hurry.wait(), name="second signal")
    try:
        async with asyncio.timeout(settings.drain_seconds):
            await asyncio.wait({drain, hurried}, return_when=asyncio.FIRST_COMPLETED)
            if not drain.done():
                log.info("second signal: work in progress is ended")
                if not isinstance(service, Hurried):
                    return
                service.hurry()
            await drain
    except TimeoutError:
        log.warning("drain took too long", seconds=settings.drain_seconds)
    finally:
        await end_tasks(drain, hurried)


@asynccontextmanager
async def _reloading(
    service: Service, settings: ServiceSettings, requested: asyncio.Event
) -> AsyncIterator[None]:
    """Apply the configuration file after each reload request, until the body ends."""

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
        await service.reload(load_for(settings))
    except ConfigurationError as error:
        log.error("configuration not taken over", reason=str(error))  # noqa: TRY400 - the message is enough
    except Exception:
        # A failure here must not end calls that are up.
        log.exception("configuration not taken over")
    else:
        log.info("configuration taken over")


async def _ignore(_message: Any) -> bytes:
    return b""


async def _pong(_body: bytes) -> bytes:
    return b"ready"
