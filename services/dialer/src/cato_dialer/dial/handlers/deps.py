"""The dependencies of the handlers of the dial role."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from cato_contracts.messages.jobs import RunDispatchState
from cato_dialer.dial.domain.station import Station
from cato_dialer.dial.domain.station_rest import StationRests, rest_s
from cato_dialer.dial.domain.subscriber.takeover import TakeoverRule
from cato_dialer.dial.handlers.contacts.number_claims import NumberClaims
from cato_dialer.dial.handlers.paced_channels import PacedChannels
from cato_dialer.dial.ports.contacts import Contacts, NoContacts
from cato_dialer.dial.ports.dial import CallJournal, CallObserver, ChannelSource, Incarnations, PromptCache
from cato_dialer.dial.ports.exclusions import Exclusions, NoExclusions
from cato_dialer.dial.ports.pacing import NoPacing, Pacing
from cato_dialer.dial.ports.stations import StationWatch, UnwatchedStations
from cato_dialer.dial.ports.trunk import Trunk
from cato_dialer.dial.ports.unsent import NotKept, Unsent
from cato_runtime.clock import Clock
from cato_runtime.process.freeze_watch import FreezeWatch

log = structlog.get_logger()

HEARTBEAT_S = 3.0
"""The interval of the messages to the broker that a job is being worked on."""

FROZEN_S = 2 * HEARTBEAT_S
"""A freeze of this process after which another replica may have its jobs. It gets them 10 s after their last
heartbeat, so 7 s after the start of a freeze at the earliest."""

SETTLED_S = 1.5
"""How long after a freeze a takeover can still be under way. A replica that takes a job over asks the others
first and waits 1 s for the answer; from the end of its freeze on, this replica answers."""

SETUPS_AT_ONCE = 64
"""How many calls at once are between their start in the log and their INVITE. All channels can become free at
once, at the start of a run: without a bound, every call would wait for the log behind all others, until its
time to start had passed."""


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
    unsent: Unsent = field(default_factory=NotKept)
    exclusions: Exclusions = field(default_factory=NoExclusions)
    takeover: TakeoverRule = TakeoverRule.SAFE
    await_stations: bool = False
    rests: StationRests = field(default_factory=StationRests)
    pacing: Pacing = field(default_factory=NoPacing)
    contacts: Contacts = field(default_factory=NoContacts)
    paced: PacedChannels = field(init=False)
    claims: NumberClaims = field(init=False)
    freezes: FreezeWatch = field(init=False)
    on_stations_changed: Callable[[], None] = lambda: None
    setups: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(SETUPS_AT_ONCE))

    def __post_init__(self) -> None:
        self.freezes = FreezeWatch(self.clock, FROZEN_S)
        self.paced = PacedChannels(self.channels, self.pacing)
        self.claims = NumberClaims(self.contacts, self.incarnations, self.clock, self.takeover)

    def by_priority(self) -> tuple[UUID, ...]:
        """Return the usable stations, the first to be tried first.

        Stations that are down are left out. If all are down, all are returned: one may be up again.
        """
        usable = [station for station in self.stations if station.channels]
        up = [station for station in usable if self.watch.is_up(station.id)]
        return tuple(station.id for station in sorted(up or usable, key=lambda station: station.priority))

    def resting_until(self, station_id: UUID) -> datetime | None:
        """Return when the station may be called again, None if it may be called now."""
        return self.rests.resting_until(station_id, self.clock.now())

    def let_rest(self, station: Station, sip_code: int | None, retry_after_s: int | None) -> None:
        """Let a station rest if its final response asks for that."""
        seconds = rest_s(sip_code, retry_after_s, station.max_retry_after_s)
        if seconds == 0:
            return
        if self.resting_until(station.id) is None:
            log.warning("station rests, it asked for a pause", station=station.name, seconds=seconds)
        self.rests.rest(station.id, self.clock.now() + timedelta(seconds=seconds))
        self.on_stations_changed()
        asyncio.get_running_loop().call_later(seconds, self.on_stations_changed)

    def await_station(self, station_id: UUID) -> bool:
        """Return whether no call may be started through the station because it is down."""
        return self.await_stations and not self.watch.is_up(station_id)

    def station(self, station_id: UUID) -> Station:
        return next(station for station in self.stations if station.id == station_id)
