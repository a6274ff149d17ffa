"""The port that watches the stations."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from cato_contracts.api.stations import StationFailure
from cato_dialer.dial.domain.station import Station
from cato_dialer.dial.domain.station_health import StationHealth


class StationWatch(Protocol):
    """Watches whether the stations answer. Its state may be some seconds old."""

    async def open(self, stations: Sequence[Station], on_change: Callable[[], None]) -> None:
        """Start to watch; `on_change` is called whenever a station has gone down or come up."""
        ...

    def is_up(self, station_id: UUID) -> bool:
        """Return whether the station is not known to be down."""
        ...

    def health(self, station_id: UUID) -> StationHealth: ...

    def answered(self, station_id: UUID) -> None:
        """Report that the station has sent a response or a request."""
        ...

    def unanswered(self, station_id: UUID) -> None:
        """Report that a call ended without any response from the station, so that it is probed at once."""
        ...

    def failed(self, station_id: UUID, failure: StationFailure) -> None:
        """Report that the station has not carried out a call, for a reason of its own."""
        ...

    async def responds(self, station_id: UUID, since: datetime) -> bool:
        """Find out whether the station responds, and has not been down since the beginning of a call.

        The call has ended without a response. Takes some seconds if the station does not respond.
        """
        ...

    def take_trial(self, station_id: UUID) -> bool:
        """Return whether one call may be made to a station that is down, to find out whether it still is.

        Only calls can tell that of a station that ignores OPTIONS. `on_change` is called when the next trial
        is due.
        """
        ...

    async def close(self) -> None: ...


class UnwatchedStations:
    """Watches nothing: every station counts as up."""

    async def open(self, stations: Sequence[Station], on_change: Callable[[], None]) -> None:
        pass

    def is_up(self, station_id: UUID) -> bool:  # noqa: ARG002
        return True

    def health(self, station_id: UUID) -> StationHealth:  # noqa: ARG002
        return StationHealth()

    def answered(self, station_id: UUID) -> None:
        pass

    def unanswered(self, station_id: UUID) -> None:
        pass

    def failed(self, station_id: UUID, failure: StationFailure) -> None:
        pass

    async def responds(self, station_id: UUID, since: datetime) -> bool:  # noqa: ARG002
        return True

    def take_trial(self, station_id: UUID) -> bool:  # noqa: ARG002
        return False

    async def close(self) -> None:
        pass
