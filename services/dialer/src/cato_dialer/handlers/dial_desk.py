"""What every worker of the dial role needs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from cato_contracts.jobs import RunTicket
from cato_dialer.ports.dial import CallJournal, ChannelLedger, PromptCache
from cato_dialer.ports.trunk import Trunk
from cato_runtime.clock import Clock
from cato_runtime.config import StationConfig


@dataclass(frozen=True, slots=True)
class DialDesk:
    """The ports and the stations, these in any order; `tickets` are the runs as last seen."""

    stations: Sequence[StationConfig]
    trunk: Trunk
    journal: CallJournal
    ledger: ChannelLedger
    prompts: PromptCache
    clock: Clock
    tickets: Callable[[], Mapping[UUID, RunTicket]]

    def by_priority(self) -> tuple[UUID, ...]:
        """Return the stations that can be used, the first to be tried first."""
        usable = (station for station in self.stations if station.channels)
        return tuple(station.id for station in sorted(usable, key=lambda station: station.priority))

    def station(self, station_id: UUID) -> StationConfig:
        return next(station for station in self.stations if station.id == station_id)
