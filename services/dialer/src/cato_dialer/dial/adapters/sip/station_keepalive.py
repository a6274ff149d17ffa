"""Probe each station by OPTIONS: down after two requests without a response, up after any message from it."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from uuid import UUID

import structlog

from cato_contracts.api.stations import StationFailure
from cato_dialer.dial.adapters.sip.options import answers_options
from cato_dialer.dial.adapters.sip.resolver import Resolver
from cato_dialer.dial.adapters.sip.tls_context import tls_context
from cato_dialer.dial.domain.station import Station
from cato_dialer.dial.domain.station_health import StationHealth
from cato_runtime.clock import Clock, SystemClock
from cato_runtime.process.tasks import end_tasks

log = structlog.get_logger()

_ANSWER_S = 4.0


class StationKeepalive:
    """A `StationWatch`. A station whose `options_interval_s` is 0 is not asked, and never down."""

    def __init__(
        self,
        bind_address: str,
        *,
        answer_s: float = _ANSWER_S,
        clock: Clock | None = None,
        came_up: Callable[[UUID], None] = lambda _station_id: None,
        resolver: Resolver | None = None,
    ) -> None:
        """`came_up` is called with the id of each station that was down and has answered."""
        self._bind_address = bind_address
        self._resolver = resolver or Resolver(bind_address)
        self._came_up = came_up
        self._answer_s = answer_s
        self._clock = clock or SystemClock()
        self._watched: dict[UUID, _Watched] = {}
        self._known: dict[tuple[UUID, str], StationHealth] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._on_change: Callable[[], None] = lambda: None

    async def open(self, stations: Sequence[Station], on_change: Callable[[], None]) -> None:
        """Raises: ConfigurationError: if a certificate cannot be read."""
        self._on_change = on_change
        for station in stations:
            self._watched[station.id] = watched = _Watched(station, self._clock, on_change, self._came_up)
            watched.health = self._known.get((station.id, station.uri), watched.health)
            if station.options_interval_s and station.channels:
                self._tasks.append(asyncio.create_task(self._watch(watched)))

    def is_up(self, station_id: UUID) -> bool:
        return not self.health(station_id).down

    def health(self, station_id: UUID) -> StationHealth:
        watched = self._watched.get(station_id)
        return watched.health if watched is not None else StationHealth()

    def answered(self, station_id: UUID) -> None:
        if watched := self._watched.get(station_id):
            watched.answered()

    def unanswered(self, station_id: UUID) -> None:
        if watched := self._watched.get(station_id):
            watched.probe_now.set()

    def failed(self, station_id: UUID, failure: StationFailure) -> None:
        if watched := self._watched.get(station_id):
            watched.health = watched.health.failed(failure)

    async def close(self) -> None:
        await end_tasks(*self._tasks)
        # A reload of the configuration opens the watch again.
        self._known = {(one.station.id, one.station.uri): one.health for one in self._watched.values()}
        self._tasks, self._watched = [], {}
        await self._resolver.close()

    async def _watch(self, watched: "_Watched") -> None:
        while True:
            watched.probe_now.clear()
            if await self._answers(watched):
                watched.answered()
            elif not watched.missed_one():
                continue  # the second request is sent at once, not after another interval
            try:
                async with asyncio.timeout(watched.station.options_interval_s):
                    await watched.probe_now.wait()
            except TimeoutError:
                pass

    async def _answers(self, watched: "_Watched") -> bool:
        """Ask the address that calls use. For TLS the certificate needs the name."""
        station = watched.station
        if station.transport != "tls":
            try:
                target = await self._resolver.resolve(station)
            except OSError:
                return False
            station = replace(station, host=target.host, port=target.port)
        answers = await answers_options(
            station, self._answer_s, bind_address=self._bind_address, tls=watched.tls
        )
        if not answers:
            self._resolver.suspect(watched.station)
        return answers


class _Watched:
    def __init__(
        self,
        station: Station,
        clock: Clock,
        on_change: Callable[[], None],
        came_up: Callable[[UUID], None],
    ) -> None:
        self.station = station
        self.health = StationHealth()
        self.tls = tls_context(station.tls) if station.tls is not None else None
        self.probe_now = asyncio.Event()
        self._clock = clock
        self._came_up = came_up
        self._on_change = on_change

    def answered(self) -> None:
        was_down = self.health.down
        self._turn(self.health.heard(self._clock.now()))
        if was_down:
            log.info("station is up again", station=self.station.name)
            self._came_up(self.station.id)

    def missed_one(self) -> bool:
        """Count a request without a response; tell whether the station is down now."""
        was_down = self.health.down
        self._turn(self.health.options_unanswered(self._clock.now()))
        if self.health.down and not was_down:
            log.warning("station is down, it does not answer OPTIONS", station=self.station.name)
        return self.health.down

    def _turn(self, health: StationHealth) -> None:
        changed = health.down is not self.health.down
        self.health = health
        if changed:
            self._on_change()
