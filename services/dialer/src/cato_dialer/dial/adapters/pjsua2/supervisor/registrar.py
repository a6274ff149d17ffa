"""Register with the stations that ask for it: worker processes of their own, and a lease for each station.

The replica that holds the lease registers. A process that dies loses it, and another replica takes over.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from uuid import UUID, uuid4

import structlog

from cato_contracts.api.stations import StationFailure
from cato_contracts.errors import BrokerError
from cato_dialer.dial.adapters.pjsua2 import protocol
from cato_dialer.dial.adapters.pjsua2.supervisor.bytecode import BytecodeCache
from cato_dialer.dial.adapters.pjsua2.supervisor.sip_identity import registered_identity_of, route_to
from cato_dialer.dial.adapters.pjsua2.supervisor.worker_process import WorkerProcess
from cato_dialer.dial.adapters.sip.resolver import Resolver
from cato_dialer.dial.adapters.sip.tap import Tap
from cato_dialer.dial.domain.station import Station
from cato_dialer.dial.domain.station_health import REGISTRATION_FAILED
from cato_jetstream import Bucket, Lease
from cato_runtime.clock import Clock, SystemClock
from cato_runtime.configuration.config import DialingConfig
from cato_runtime.process.tasks import end_tasks

log = structlog.get_logger()

_LEASE_S = 10
_RENEW_S = 3.0
_MARGIN_S = 2.0
_RETRY_S = (3.0, 6.0, 15.0, 60.0)
"The pauses before the next try after a failure."
_FIRST_ANSWERS_S = 5.0
_GOOD = range(200, 300)
_SHORT_S = 15
"""The library renews a registration 5 s before its end, and never within 5 s. A shorter one is renewed here,
after half of its time."""


@dataclass(slots=True)
class _Registration:
    """Our registration with a station, if we hold the lease."""

    station: Station
    lease: Lease
    worker: WorkerProcess | None = None
    registered: bool = False
    ends_at: float = 0.0
    failures: int = 0
    successes_total: int = 0
    failures_total: int = 0
    last_failure: StationFailure | None = None
    retry_at: float | None = None
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    decided: asyncio.Event = field(default_factory=asyncio.Event)


class StationRegistrar:
    """Registers from `start` on, which waits some seconds for the first answers of the stations."""

    def __init__(
        self,
        dialing: DialingConfig,
        stations: Sequence[Station],
        leases: Bucket,
        clock: Clock | None = None,
    ) -> None:
        self._dialing = dialing
        self._clock = clock or SystemClock()
        holder = str(uuid4()).encode()
        self._registrations: dict[UUID, _Registration] = {
            station.id: _Registration(station, _lease(leases, station, holder))
            for station in stations
            if station.registers
        }
        self._resolver = Resolver(dialing.bind_address)
        self._bytecode = BytecodeCache()
        self._workers: list[WorkerProcess] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._runners: list[asyncio.Task[None]] = []

    def registered(self, station_id: UUID) -> bool:
        """Tell whether this process is registered with the station."""
        registration = self._registrations.get(station_id)
        if registration is None or not registration.registered:
            return False
        return asyncio.get_running_loop().time() < registration.ends_at

    def last_failure(self, station_id: UUID) -> StationFailure | None:
        """Return the latest failure of this process to register with the station."""
        registration = self._registrations.get(station_id)
        return registration.last_failure if registration is not None else None

    def attempts(self, station_id: UUID) -> tuple[int, int] | None:
        """Return how many REGISTER succeeded and failed; None for a station that asks for none."""
        registration = self._registrations.get(station_id)
        if registration is None:
            return None
        return registration.successes_total, registration.failures_total

    def renew(self, station_id: UUID) -> None:
        """Register at once if we hold the lease: the station may have lost the registration."""
        registration = self._registrations.get(station_id)
        if registration is not None and registration.lease.held():
            registration.retry_at = 0.0
            registration.wake.set()

    def trace(self, tap: Tap | None) -> None:
        """Pass all messages of SIP to the tap from now on; None: no more."""
        for worker in self._workers:
            worker.trace(tap)

    async def start(self) -> None:
        """Register with the stations."""
        registrations = list(self._registrations.values())
        for first in range(0, len(registrations), protocol.ACCOUNTS_AT_MOST):
            self._start_worker(registrations[first : first + protocol.ACCOUNTS_AT_MOST])
        for worker in self._workers:
            await worker.tried.wait()
        self._tasks = [asyncio.create_task(self._hold(registration)) for registration in registrations]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_FIRST_ANSWERS_S):
                for registration in registrations:
                    await registration.decided.wait()

    def _start_worker(self, registrations: Sequence[_Registration]) -> None:
        settings = protocol.Configure(
            calls=1,
            bind_address=self._dialing.bind_address,
            public_address=self._dialing.public_address,
            rtp_port_from=0,
            rtp_port_till=0,
            sip_log_level=0,
        )
        worker = WorkerProcess(
            -1 - len(self._workers),
            settings,
            gate=asyncio.Semaphore(1),
            bytecode=self._bytecode,
            changed=partial(_register_again, registrations),
            registered=self._answered,
        )
        for registration in registrations:
            registration.worker = worker
        self._workers.append(worker)
        self._runners.append(asyncio.create_task(worker.keep_running()))

    async def stop(self) -> None:
        await end_tasks(*self._tasks)
        for worker in self._workers:
            worker.close()  # ends its registrations
        if self._runners:
            await asyncio.wait(self._runners)
        for registration in self._registrations.values():
            if registration.lease.held():
                try:
                    await registration.lease.release()
                except BrokerError as error:
                    log.warning("registration lease is left to expire", error=str(error))
        await self._resolver.close()
        self._bytecode.close()

    async def _hold(self, registration: _Registration) -> None:
        while True:
            was_ours = registration.lease.held()
            try:
                await registration.lease.take()
            except BrokerError as error:
                log.warning(
                    "registration lease unavailable", station=registration.station.name, error=str(error)
                )
            if registration.lease.held():
                if not was_ours or self._is_due(registration):
                    registration.retry_at = None
                    await self._register(registration)
            else:
                registration.decided.set()
                if was_ours and registration.worker is not None:
                    registration.registered = False
                    registration.worker.send(protocol.Unregister(str(registration.station.id)))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_pause_s(registration)):
                    await registration.wake.wait()
            registration.wake.clear()

    def _is_due(self, registration: _Registration) -> bool:
        return (
            registration.retry_at is not None and asyncio.get_running_loop().time() >= registration.retry_at
        )

    async def _register(self, registration: _Registration) -> None:
        if registration.worker is None:
            return
        station = registration.station
        order = _order(station)
        if station.host_is_name and station.transport != "tls":
            try:
                target = await self._resolver.resolve(station)
            except OSError as error:
                self._failed(registration, f"{station.host} cannot be resolved: {error}")
                return
            order = replace(order, identity=replace(order.identity, route=route_to(station, target)))
        registration.worker.send(order)

    def _answered(self, message: protocol.Registered) -> None:
        registration = self._registrations[UUID(message.station)]
        if message.code not in _GOOD:
            self._failed(registration, f"{message.code} {message.phrase}", message.code)
        elif message.expires_s > 0:
            if not registration.registered:
                log.info(
                    "registered with station", station=registration.station.name, expires_s=message.expires_s
                )
            now = asyncio.get_running_loop().time()
            registration.registered, registration.failures = True, 0
            registration.successes_total += 1
            registration.ends_at = now + message.expires_s
            short = message.expires_s < _SHORT_S
            registration.retry_at = now + message.expires_s / 2 if short else None
            registration.decided.set()
            registration.wake.set()

    def _failed(self, registration: _Registration, why: str, code: int | None = None) -> None:
        pause_s = _RETRY_S[min(registration.failures, len(_RETRY_S) - 1)]
        registration.registered = False
        registration.failures += 1
        registration.failures_total += 1
        registration.last_failure = StationFailure(
            at=self._clock.now(), reason=REGISTRATION_FAILED, sip_code=code, text=why
        )
        registration.retry_at = asyncio.get_running_loop().time() + pause_s
        registration.decided.set()
        log.warning("registration failed", station=registration.station.name, why=why, again_in_s=pause_s)


def _register_again(registrations: Sequence[_Registration]) -> None:
    """Register anew: the worker is a new process."""
    for registration in registrations:
        registration.registered = False
        registration.retry_at = 0.0
        registration.wake.set()


def _pause_s(registration: _Registration) -> float:
    """Return the time until the lease or the registration must be renewed."""
    if registration.retry_at is None or not registration.lease.held():
        return _RENEW_S
    return min(max(registration.retry_at - asyncio.get_running_loop().time(), 0.0), _RENEW_S)


def _lease(bucket: Bucket, station: Station, holder: bytes) -> Lease:
    return Lease(bucket, f"registration.{station.id}", holder, ttl_s=_LEASE_S, margin_s=_MARGIN_S)


def _order(station: Station) -> protocol.Register:
    return protocol.Register(
        station=str(station.id),
        registrar=station.uri,
        identity=registered_identity_of(station),
        expires_s=station.register_expires_s,
    )
