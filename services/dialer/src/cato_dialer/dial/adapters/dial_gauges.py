"""Gauges of a dialer, read at each scrape: channels, jobs, SIP workers, stations."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from cato_contracts.api.stations import StationState
from cato_dialer.dial.adapters.call_metrics import station_names
from cato_dialer.dial.adapters.engine_choice import EngineChoice
from cato_dialer.dial.adapters.nats.channel_source import NatsChannelSource
from cato_dialer.dial.adapters.worker_gauges import WorkerGauges
from cato_dialer.dial.domain.capacity.overload_control import OverloadControl
from cato_dialer.dial.domain.station import Station
from cato_dialer.dial.ports.stations import StationWatch


class _Dispatcher(Protocol):
    """The state of the job dispatcher that is shown."""

    @property
    def jobs_in_hand(self) -> int: ...

    @property
    def overload(self) -> OverloadControl: ...


class Registrations(Protocol):
    """The registrations of this process that are shown."""

    def registered(self, station_id: UUID) -> bool: ...
    def attempts(self, station_id: UUID) -> tuple[int, int] | None: ...


class _NoRegistrations(NamedTuple):
    def registered(self, _station_id: UUID) -> bool:
        return False

    def attempts(self, _station_id: UUID) -> tuple[int, int] | None:
        return None


@dataclass(slots=True)
class DialGauges:
    """Reads the state of a dialer's parts."""

    stations: Sequence[Station]
    dispatcher: _Dispatcher
    channels: NatsChannelSource
    trunk: EngineChoice
    watch: StationWatch
    resting_until: Callable[[UUID], datetime | None] = lambda _station_id: None
    registrations: Registrations = field(default_factory=_NoRegistrations)
    workers: WorkerGauges = field(init=False)

    def __post_init__(self) -> None:
        self.workers = WorkerGauges(self.trunk)

    def read(self) -> Iterable[Metric]:
        yield from self._stations()
        yield from self._registered()
        yield self._licence()
        yield from self.workers.read()
        yield _gauge("cato_jobs_in_hand", "Subscribers being worked on.", self.dispatcher.jobs_in_hand)
        yield _gauge("cato_sip_workers", "SIP worker processes that are alive.", len(self.trunk.worker_pids))
        yield _gauge("cato_sip_capacity", "Calls at once that they carry.", self.trunk.capacity)
        bound = self.dispatcher.overload.bounded(self.trunk.capacity)
        yield _gauge("cato_paced_capacity", "Calls at once that they carry without falling behind.", bound)
        lag = GaugeMetricFamily(
            "cato_sip_lag_seconds", "How late the slowest worker was lately.", labels=["of"]
        )
        lag.add_metric(["media"], self.trunk.media_lag_ms / 1000)
        lag.add_metric(["signalling"], self.trunk.loop_lag_ms / 1000)
        yield lag

    def _stations(self) -> Iterable[Metric]:
        channels = GaugeMetricFamily(
            "cato_channels",
            "Channels: all of the station's, those leased to this dialer, those in use by it.",
            labels=["station", "state"],
        )
        up = GaugeMetricFamily(
            "cato_station_up", "1 while the station is not known to be down.", labels=["station"]
        )
        states = GaugeMetricFamily(
            "cato_station_state",
            "1 for the state in which this dialer sees the station, 0 for the others.",
            labels=["station", "state"],
        )
        names = station_names(self.stations)
        for station in self.stations:
            name = names[station.id]
            leased, in_use = self.channels.usage(station.id)
            channels.add_metric([name, "configured"], station.channels)
            channels.add_metric([name, "leased"], leased)
            channels.add_metric([name, "in-use"], in_use)
            up.add_metric([name], self.watch.is_up(station.id))
            resting = self.resting_until(station.id) is not None
            seen = self.watch.health(station.id).state
            if resting and seen is not StationState.DOWN:
                seen = StationState.RESTING
            for state in StationState:
                states.add_metric([name, state.lower()], seen is state)
        yield channels
        yield up
        yield states

    def _registered(self) -> Iterable[Metric]:
        registered = GaugeMetricFamily(
            "cato_station_registered",
            "1 while this dialer is registered with the station; one dialer registers, of all.",
            labels=["station"],
        )
        requests = CounterMetricFamily(
            "cato_registrations", "REGISTER requests, by their outcome.", labels=["station", "outcome"]
        )
        names = station_names(self.stations)
        for station in self.stations:
            if (attempts := self.registrations.attempts(station.id)) is not None:
                registered.add_metric([names[station.id]], self.registrations.registered(station.id))
                for outcome, count in zip(("succeeded", "failed"), attempts, strict=True):
                    requests.add_metric([names[station.id], outcome], count)
        yield registered
        yield requests

    def _licence(self) -> Metric:
        pool = GaugeMetricFamily(
            "cato_license_channels",
            "Channels of the licence: all, those leased to this dialer, those in use by it.",
            labels=["state"],
        )
        for state, count in zip(
            ("configured", "leased", "in-use"), self.channels.licence_usage(), strict=True
        ):
            pool.add_metric([state], count)
        return pool


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)
