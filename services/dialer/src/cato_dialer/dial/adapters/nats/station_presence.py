"""Announce to the campaign role how this replica sees the stations."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID, uuid4

import structlog
from nats.aio.client import Client

from cato_contracts.api.stations import StationFailure, StationState
from cato_contracts.errors import BrokerError
from cato_contracts.messages.stations import StationSight, StationSights
from cato_contracts.subjects import STATION_PRESENCE
from cato_dialer.dial.domain.station import Station
from cato_dialer.dial.ports.stations import StationWatch
from cato_jetstream import translated
from cato_runtime.process.tasks import end_tasks

log = structlog.get_logger()

_REPEAT_S = 2.0


class _Registrar(Protocol):
    def registered(self, station_id: UUID) -> bool: ...

    def last_failure(self, station_id: UUID) -> StationFailure | None: ...


class _Channels(Protocol):
    def usage(self, station_id: UUID) -> tuple[int, int]: ...


class NatsStationPresence:
    """Plain messages without acknowledgement, as a lost one is followed by the next two seconds later."""

    def __init__(
        self,
        client: Client,
        stations: Callable[[], Sequence[Station]],
        watch: StationWatch,
        registrar: _Registrar,
        channels: _Channels,
        *,
        resting_until: Callable[[UUID], datetime | None] = lambda _station_id: None,
    ) -> None:
        self._client = client
        self._stations = stations
        self._watch = watch
        self._registrar = registrar
        self._channels = channels
        self._resting_until = resting_until
        self._replica = uuid4()
        self._changed = asyncio.Event()
        self._telling: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._telling = asyncio.create_task(self._keep_telling())

    async def stop(self) -> None:
        """Announce that this replica is gone."""
        await end_tasks(self._telling)
        await self._tell(StationSights(replica=self._replica))

    def changed(self) -> None:
        """Announce the stations at once: the state of one has changed."""
        self._changed.set()

    async def _keep_telling(self) -> None:
        while True:
            self._changed.clear()
            await self._tell(
                StationSights(
                    replica=self._replica,
                    stations=tuple(self._sight(station) for station in self._stations()),
                )
            )
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_REPEAT_S):
                    await self._changed.wait()

    async def _tell(self, sights: StationSights) -> None:
        try:
            with translated("stations cannot be announced"):
                await self._client.publish(STATION_PRESENCE, sights.model_dump_json().encode())
        except BrokerError as error:
            log.info("stations not announced", error=str(error))

    def _sight(self, station: Station) -> StationSight:
        health = self._watch.health(station.id)
        resting_until = None if health.down else self._resting_until(station.id)
        failures = [health.last_failure, self._registrar.last_failure(station.id)]
        return StationSight(
            station_id=station.id,
            name=station.name,
            state=StationState.RESTING if resting_until is not None else health.state,
            since=health.since if resting_until is None else None,
            resting_until=resting_until,
            last_failure=max(
                (failure for failure in failures if failure is not None),
                key=lambda failure: failure.at,
                default=None,
            ),
            registered=self._registrar.registered(station.id) if station.registers else None,
            channels_in_use=self._channels.usage(station.id)[1],
        )
