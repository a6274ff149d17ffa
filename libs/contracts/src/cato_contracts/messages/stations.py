"""What each dial replica tells the others about the stations, on `presence.stations`."""

from uuid import UUID

from pydantic import ConfigDict

from cato_contracts.api.stations import StationFailure, StationState
from cato_contracts.model import Frozen, Instant


class StationSight(Frozen):
    """A station as one dial replica sees it. `registered` is None if the station wants no registration."""

    model_config = ConfigDict(extra="ignore")

    station_id: UUID
    name: str
    state: StationState
    since: Instant | None = None
    resting_until: Instant | None = None
    last_failure: StationFailure | None = None
    registered: bool | None = None
    channels_in_use: int = 0


class StationSights(Frozen):
    """The stations of one dial replica. The replica sends it every second or so; none if it stops."""

    model_config = ConfigDict(extra="ignore")

    replica: UUID
    stations: tuple[StationSight, ...] = ()
