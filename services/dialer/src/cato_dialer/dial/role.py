"""The dial role as a whole: trunk, channels, stations, and the dispatcher of jobs."""

from collections.abc import Callable, Sequence

from cato_dialer.dial.domain.station import Station
from cato_dialer.dial.handlers.deps import Deps
from cato_dialer.dial.handlers.dispatch_jobs import JobDispatcher
from cato_dialer.dial.ports.dial import JobSource


class DialRole:
    """Makes calls from `start` on. `deps.run_states` must be those of `source`.

    `on_station_change` is called whenever the state of a station has changed.
    """

    def __init__(
        self, deps: Deps, source: JobSource, on_station_change: Callable[[], None] = lambda: None
    ) -> None:
        self._deps = deps
        self._on_station_change = on_station_change
        self.dispatcher = JobDispatcher(deps, source)
        deps.on_stations_changed = self._stations_changed
        deps.claims.ask_owner = source.ask_owner

    async def start(self) -> None:
        """Open the trunk, the channels and the watch of the stations, then take jobs."""
        await self._deps.trunk.open()
        await self._deps.pacing.open()
        await self._deps.claims.open()
        await self._deps.channels.open()
        await self._deps.watch.open(self._deps.stations, self._stations_changed)
        await self._deps.exclusions.open()
        await self.dispatcher.start()

    async def drain(self, deadline_s: float) -> None:
        """Take no more jobs and start no more calls; hang up the calls that are up at the deadline."""
        await self.dispatcher.drain(deadline_s)

    def hang_up(self) -> None:
        """Hang up the calls that are up."""
        self.dispatcher.hang_up()

    async def stop(self) -> None:
        """End at once. Jobs in hand are delivered again, to other replicas or to the next start."""
        await self.dispatcher.stop()
        await self._deps.claims.close()
        await self._deps.watch.close()
        await self._deps.channels.close()
        await self._deps.pacing.close()
        await self._deps.trunk.close()
        await self._deps.exclusions.close()  # last: nothing waits for a call of this process any more

    async def change_stations(self, stations: Sequence[Station]) -> None:
        """Use these stations for new calls. They have the same ids and channels as the previous ones."""
        self._deps.stations = stations
        await self._deps.watch.close()
        await self._deps.watch.open(stations, self._stations_changed)
        self._stations_changed()

    def stations_down(self) -> list[str]:
        """Return the names of the stations that this replica sees down."""
        watch = self._deps.watch
        return [station.name for station in self._deps.stations if not watch.is_up(station.id)]

    def _stations_changed(self) -> None:
        self.dispatcher.stations_changed()
        self._on_station_change()
