"""The dependencies of the handlers of the dial role."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from cato_contracts.messages.jobs import RunDispatchState
from cato_dialer.dial.domain.station import Station
from cato_dialer.dial.domain.subscriber.takeover import TakeoverRule
from cato_dialer.dial.ports.dial import CallJournal, CallObserver, ChannelSource, Incarnations, PromptCache
from cato_dialer.dial.ports.stations import StationWatch, UnwatchedStations
from cato_dialer.dial.ports.trunk import Trunk
from cato_runtime.clock import Clock


@dataclass(slots=True)
class Deps:
    """The ports and the stations, in any order; `run_states` returns the runs as last read from the broker.

    Only `stations` may change. A call keeps the station that it began with. With `await_stations` no call is
    made, and no subscriber fails, while every station is down.
    """

    stations: Sequence[Station]
    trunk: Trunk
    journal: CallJournal
    channels: ChannelSource
    prompts: PromptCache
    incarnations: Incarnations
    clock: Clock
    run_states: Callable[[], Mapping[UUID, RunDispatchState]]
    watch: StationWatch = field(default_factory=UnwatchedStations)
    observers: Sequence[CallObserver] = ()
    takeover: TakeoverRule = TakeoverRule.SAFE
    await_stations: bool = False

    def by_priority(self) -> tuple[UUID, ...]:
        """Return the usable stations, the first to be tried first.

        Stations that are down are left out. If all are down, all are returned: one may be up again.
        """
        usable = [station for station in self.stations if station.channels]
        up = [station for station in usable if self.watch.is_up(station.id)]
        return tuple(station.id for station in sorted(up or usable, key=lambda station: station.priority))

    def await_station(self, station_id: UUID) -> bool:
        """Return whether no call may be started through the station because it is down."""
        return self.await_stations and not self.watch.is_up(station_id)

    def station(self, station_id: UUID) -> Station:
        return next(station for station in self.stations if station.id == station_id)
