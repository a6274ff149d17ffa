"""Stations for tests."""

from typing import Any

from cato_dialer.dial.adapters.configured_stations import station_of
from cato_dialer.dial.domain.station import Station
from cato_runtime.configuration.station_config import StationConfig


def make_station(**fields: Any) -> Station:
    """Return the station of a configuration with these fields."""
    return station_of(StationConfig(**fields))
