"""Registers with the stations that want it: one worker process, and a lease for each station.

Whoever has the lease registers; a process that dies loses it, and another one goes on.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID, uuid4

import structlog

from cato_contracts.errors import BrokerError
from cato_dialer.dial.adapters.pjsua2 import protocol
from cato_dialer.dial.adapters.pjsua2.supervisor.bytecode import BytecodeCache
from cato_dialer.dial.adapters.pjsua2.supervisor.resolver import Resolver
from cato_dialer.dial.adapters.pjsua2.supervisor.sip_identity import registered_identity_of, route_to
from cato_dialer.dial.adapters.pjsua2.supervisor.worker_process import WorkerProcess
from cato_dialer.dial.domain.station import Station
from cato_jetstream import Bucket, Lease
from cato_runtime.config import DialingConfig
from cato_runtime.tasks import end_tasks

log = structlog.get_logger()

_LEASE_S = 10
_RENEW_S = 3.0
_MARGIN_S = 2.0
_RETRY_S = (3.0, 6.0, 15.0, 60.0)
"How long after a failure it is tried again."
_FIRST_WORD_S = 5.0
_GOOD = range(200, 300)


@dataclass(slots=True)
class _Place:
    """Our registration with a station, if the lease is ours."""

    station: Station
    lease: Lease
    registered: bool = False
    failures: int = 0
    retry_at: float | None = None
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    decided: asyncio.Event = field(default_factory=asyncio.Event)


class StationRegistrar:
    """`start` returns when each station has answered, or another replica has it, or after some seconds."""

    def __init__(self, dialing: DialingConfig, stations: Sequence[Station], leases: Bucket) -> None:
        self._dialing = dialing
        holder = str(uuid4()).encode()
        self._places: dict[UUID, _Place] = {
            station.id: _Place(station, _lease(leases, station, holder))
            for station in stations
            if station.registers
        }
        self._resolver = Resolver()
        self._bytecode = BytecodeCache()
        self._worker: WorkerProcess | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._runner: asyncio.Task[None] | None = None

    def registered(self, station_id: UUID) -> bool:
        """Tell whether this process is registered with the station."""
        place = self._places.get(station_id)
        return place is not None and place.registered

    def renew(self, station_id: UUID) -> None:
        """Register at once, if that is our business: the station may have forgotten us while it was down."""
        place = self._places.get(station_id)
        if place is not None and place.lease.held():
            place.retry_at = 0.0
            place.wake.set()

    async def start(self) -> None:
        """Register with the stations."""
        if not self._places:
            return
        settings = protocol.Configure(
            calls=1,
            bind_address=self._dialing.bind_address,
            public_address=self._dialing.public_address,
            rtp_port_from=0,
            rtp_port_till=0,
            sip_log_level=0,
        )
        self._worker = WorkerProcess(
            -1,
            settings,
            gate=asyncio.Semaphore(1),
            bytecode=self._bytecode,
            changed=self._started_anew,
            registered=self._heard,
        )
        self._runner = asyncio.create_task(self._worker.keep_running())
        await self._worker.tried.wait()
        self._tasks = [asyncio.create_task(self._hold(place)) for place in self._places.values()]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_FIRST_WORD_S):
                for place in self._places.values():
                    await place.decided.wait()

    async def stop(self) -> None:
        await end_tasks(*self._tasks)
        if self._worker is not None and self._runner is not None:
            self._worker.close()  # takes its registrations back
            await asyncio.wait((self._runner,))
        for place in self._places.values():
            if place.lease.held():
                try:
                    await place.lease.release()
                except BrokerError as error:
                    log.warning("a registration's lease is left to end by itself", error=str(error))
        self._bytecode.close()

    async def _hold(self, place: _Place) -> None:
        while True:
            was_ours = place.lease.held()
            try:
                await place.lease.take()
            except BrokerError as error:
                log.warning("no word on who registers", station=place.station.name, error=str(error))
            if place.lease.held():
                if not was_ours or self._is_due(place):
                    place.retry_at = None
                    await self._register(place)
            else:
                place.decided.set()
                if was_ours and self._worker is not None:
                    place.registered = False
                    self._worker.tell(protocol.Unregister(str(place.station.id)))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_RENEW_S):
                    await place.wake.wait()
            place.wake.clear()

    def _is_due(self, place: _Place) -> bool:
        return place.retry_at is not None and asyncio.get_running_loop().time() >= place.retry_at

    async def _register(self, place: _Place) -> None:
        if self._worker is None:
            return
        station = place.station
        order = _order(station)
        if station.host_is_name and station.transport != "tls":
            try:
                resolved = await self._resolver.resolve(station.host)
            except OSError as error:
                self._failed(place, f"{station.host} cannot be resolved: {error}")
                return
            order = replace(order, identity=replace(order.identity, route=route_to(station, resolved)))
        self._worker.tell(order)

    def _started_anew(self) -> None:
        """The worker knows nothing yet."""
        for place in self._places.values():
            place.registered = False
            place.retry_at = 0.0
            place.wake.set()

    def _heard(self, message: protocol.Registered) -> None:
        place = self._places[UUID(message.station)]
        if message.code not in _GOOD:
            self._failed(place, f"{message.code} {message.phrase}")
        elif message.expires_s > 0:
            if not place.registered:
                log.info("registered", station=place.station.name, expires_s=message.expires_s)
            place.registered, place.failures, place.retry_at = True, 0, None
            place.decided.set()

    def _failed(self, place: _Place, why: str) -> None:
        pause_s = _RETRY_S[min(place.failures, len(_RETRY_S) - 1)]
        place.registered = False
        place.failures += 1
        place.retry_at = asyncio.get_running_loop().time() + pause_s
        place.decided.set()
        log.warning("not registered", station=place.station.name, why=why, again_in_s=pause_s)


def _lease(bucket: Bucket, station: Station, holder: bytes) -> Lease:
    return Lease(bucket, f"registration.{station.id}", holder, ttl_s=_LEASE_S, margin_s=_MARGIN_S)


def _order(station: Station) -> protocol.Register:
    return protocol.Register(
        station=str(station.id),
        registrar=station.uri,
        identity=registered_identity_of(station),
        expires_s=station.register_expires_s,
    )
