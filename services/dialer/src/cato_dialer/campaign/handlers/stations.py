"""The query for the stations."""

from cato_contracts.api.resources import Page
from cato_contracts.api.stations import ListStations, StationView
from cato_dialer.campaign.domain.stations import ConfiguredStation, station_views
from cato_dialer.campaign.handlers.deps import Deps
from cato_runtime.requests import RequestContext


async def list_stations(deps: Deps, _query: ListStations, _context: RequestContext) -> Page[StationView]:
    return Page(items=list(current_stations(deps)))


def current_stations(deps: Deps) -> tuple[StationView, ...]:
    """Return every configured station, as the running dialers see it now."""
    configured = [
        ConfiguredStation(
            station.id, station.name, station.engine_used.value, station.channels, station.caller_ids
        )
        for station in deps.config.stations
    ]
    return station_views(configured, deps.stations.sights())
