"""The port that watches the stations."""

from collections.abc import Callable, Sequence
from typing import Protocol
from uuid import UUID

from cato_dialer.dial.domain.station import Station


class StationWatch(Protocol):
    """Watches whether the stations answer. Its state may be some seconds old."""

    async def open(self, stations: Sequence[Station], on_change: Callable[[], None]) -> None:
        """Start to watch; `on_change` is called whenever a station has gone down or come up."""
        ...

    def is_up(self, station_id: UUID) -> bool: ...

    def answered(self, station_id: UUID) -> None:
        """Report that the station has sent a response or a request."""
        ...

    def unanswered(self, station_id: UUID) -> None:
        """Report that a call ended without any response from the station, so that it is probed at once."""
        ...

    async def close(self) -> None: ...


class UnwatchedStations:
    """Watches nothing: every station counts as up."""

    async def open(self, stations: Sequence[Station], on_change: Callable[[], None]) -> None:
        pass

    def is_up(self, station_id: UUID) -> bool:  # noqa: ARG002
        return True

    def answered(self, station_id: UUID) -> None:
        pass

    def unanswered(self, station_id: UUID) -> None:
        pass

    async def close(self) -> None:
        pass
