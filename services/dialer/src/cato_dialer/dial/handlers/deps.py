"""What every worker of the dial role needs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from cato_contracts.jobs import RunTicket
from cato_dialer.dial.ports.dial import CallJournal, CallObserver, ChannelLedger, PromptCache, UnobservedCalls
from cato_dialer.dial.ports.stations import StationWatch, UnwatchedStations
from cato_dialer.dial.ports.trunk import Trunk
from cato_runtime.clock import Clock
from cato_runtime.station_config import StationConfig


@dataclass(slots=True)
class DialDesk:
    """The ports and the stations, these in any order; `tickets` are the runs as last seen.

    Only `stations` may change: for the calls that begin then.
    """

    stations: Sequence[StationConfig]
    trunk: Trunk
    journal: CallJournal
    ledger: ChannelLedger
    prompts: PromptCache
    clock: Clock
    tickets: Callable[[], Mapping[UUID, RunTicket]]
    watch: StationWatch = field(default_factory=UnwatchedStations)
    observer: CallObserver = field(default_factory=UnobservedCalls)

    def by_priority(self) -> tuple[UUID, ...]:
        """Return the stations that can be used, the first to be tried first.

        Those that are down are left out, unless all are: a call may find out that one is not.
        """
        usable = [station for station in self.stations if station.channels]
        up = [station for station in usable if self.watch.is_up(station.id)]
        return tuple(station.id for station in sorted(up or usable, key=lambda station: station.priority))

    def station(self, station_id: UUID) -> StationConfig:
        return next(station for station in self.stations if station.id == station_id)
