"""Probe each station by OPTIONS: down after two requests without a response, up after any message from it."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
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
_PROBE_DOWN_S = 5.0
"""The interval of OPTIONS requests while the station is down: calls go on soon after it has come back."""
_FRESH_S = 1.0
"""A message of the station is proof of its life for this time."""
_TRIAL_S = 15.0
"""The time between two calls that find out whether a station that ignores OPTIONS is up again."""
_CLOCK_S = 0.01


class StationKeepalive:
    """A `StationWatch`.

    A station whose `options_interval_s` is 0 is sent OPTIONS only after a call without any response.
    """

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
            if station.channels:
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
        watched = self._watched.get(station_id)
        if watched is not None and watched.station.options_interval_s:
            watched.probe_now.set()

    def failed(self, station_id: UUID, failure: StationFailure) -> None:
        if watched := self._watched.get(station_id):
            watched.health = watched.health.failed(failure)

    async def responds(self, station_id: UUID, since: datetime) -> bool:
        watched = self._watched.get(station_id)
        return watched is None or await watched.responds(since)

    def take_trial(self, station_id: UUID) -> bool:
        watched = self._watched.get(station_id)
        return watched is not None and watched.take_trial()

    async def close(self) -> None:
        await end_tasks(*self._tasks)
        for watched in self._watched.values():
            watched.close()
        # A reload of the configuration opens the watch again.
        self._known = {(one.station.id, one.station.uri): one.health for one in self._watched.values()}
        self._tasks, self._watched = [], {}
        await self._resolver.close()

    async def _watch(self, watched: "_Watched") -> None:
        if watched.pause_s is None:
            await watched.probe_now.wait()
        while True:
            watched.probe_now.clear()
            if await self._answers(watched):
                watched.options_answered()
            elif not watched.missed_one():
                continue  # the second request is sent at once, not after another interval
            try:
                async with asyncio.timeout(watched.pause_s):
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
        self._heard_at = -_FRESH_S
        self._down_until: datetime | None = None
        self._doubts: list[asyncio.Future[bool]] = []
        self._next_trial = 0.0
        self._trial_timer: asyncio.TimerHandle | None = None

    @property
    def pause_s(self) -> float | None:
        """Return the seconds until the next OPTIONS request; None if there is none without a reason."""
        interval = self.station.options_interval_s or None
        return min(interval or _PROBE_DOWN_S, _PROBE_DOWN_S) if self.health.down else interval

    def answered(self) -> None:
        """Note a message of the station in a call."""
        self._heard(self.health.heard(self._clock.now()))

    def options_answered(self) -> None:
        self._heard(self.health.options_answered(self._clock.now()))

    def missed_one(self) -> bool:
        """Note a request without a response; tell whether so many are missing that it may be down."""
        was_down = self.health.down
        self._turn(self.health.options_unanswered(self._clock.now(), after_call=bool(self._doubts)))
        if self.health.down and not was_down:
            log.warning("station is down, it does not answer OPTIONS", station=self.station.name)
            if not self.health.answers_options:
                self._plan_trial()
        if self.health.silent:
            self._settle(responds=False)
        return self.health.silent

    async def responds(self, since: datetime) -> bool:
        loop = asyncio.get_running_loop()
        if self.health.down or (self._down_until is not None and self._down_until >= since):
            return False
        if loop.time() - self._heard_at < _FRESH_S:
            return True
        doubt: asyncio.Future[bool] = loop.create_future()
        self._doubts.append(doubt)
        self.probe_now.set()
        return await doubt

    def take_trial(self) -> bool:
        # OPTIONS requests show when a station that answers them is up again.
        if self.health.answers_options or asyncio.get_running_loop().time() < self._next_trial:
            return False
        self._plan_trial()
        return True

    def close(self) -> None:
        self._cancel_trial()
        self._settle(responds=False)

    def _heard(self, health: StationHealth) -> None:
        self._heard_at = asyncio.get_running_loop().time()
        was_down = self.health.down
        self._turn(health)
        self._settle(responds=True)
        if was_down:
            self._down_until = self._clock.now()
            self._cancel_trial()
            log.info("station is up again", station=self.station.name)
            self._came_up(self.station.id)

    def _turn(self, health: StationHealth) -> None:
        changed = health.down is not self.health.down
        self.health = health
        if changed:
            self._on_change()

    def _settle(self, *, responds: bool) -> None:
        doubts, self._doubts = self._doubts, []
        for doubt in doubts:
            if not doubt.done():
                doubt.set_result(responds)

    def _plan_trial(self) -> None:
        loop = asyncio.get_running_loop()
        self._next_trial = loop.time() + _TRIAL_S
        self._cancel_trial()
        self._trial_timer = loop.call_at(self._next_trial + _CLOCK_S, self._on_change)

    def _cancel_trial(self) -> None:
        if self._trial_timer is not None:
            self._trial_timer.cancel()
