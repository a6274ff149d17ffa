"""The campaign role: the catalog's requests and the coordinator of the runs."""

from cato_contracts.api.stations import StationState
from cato_dialer.campaign.handlers.coordinator.coordinator import Coordinator
from cato_dialer.campaign.handlers.deps import Deps
from cato_dialer.campaign.handlers.stations import current_stations
from cato_dialer.campaign.handlers.table import handler_table
from cato_runtime.requests import RequestTable


class CampaignRole:
    """Answers `requests` and drives the runs that no other replica drives."""

    def __init__(self, deps: Deps) -> None:
        self._view = deps.view
        self._deps = deps
        self._coordinator = Coordinator(deps)
        self.requests = RequestTable(deps.clock, handler_table(deps))

    def runs_in_progress(self) -> int:
        """Return how many runs have been started and are not over, driven by whichever replica."""
        return len(self._view.running)

    def channels(self) -> int:
        """Return the channels of the stations that are not known to be down, within the licence."""
        usable = (one.channels for one in current_stations(self._deps) if one.state is not StationState.DOWN)
        return min(self._deps.config.license.max_channels, sum(usable))

    async def start(self) -> None:
        """Read the catalog's log, then begin to drive runs.

        Raises:
            BrokerError: if the log cannot be read.

        """
        await self._deps.stations.start()
        await self._view.start()
        await self._deps.excluded.start()
        await self._coordinator.start()

    async def stop(self) -> None:
        """Release the runs, so that another replica continues them at once."""
        await self._coordinator.stop()
        await self._deps.excluded.stop()
        await self._view.stop()
        await self._deps.stations.stop()

    def stations_down(self) -> list[str]:
        """Return the names of the stations that no dial replica reaches."""
        return [one.name for one in current_stations(self._deps) if one.state is StationState.DOWN]
