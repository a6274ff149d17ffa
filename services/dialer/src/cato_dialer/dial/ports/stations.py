"""Which stations can be expected to take a call."""

from collections.abc import Callable, Sequence
from typing import Protocol
from uuid import UUID

from cato_runtime.station_config import StationConfig


class StationWatch(Protocol):
    """Looks after the stations; what it says is of the last seconds, and no promise."""

    async def open(self, stations: Sequence[StationConfig], on_change: Callable[[], None]) -> None:
        """Begin; `on_change` is called whenever a station has gone down or come up."""
        ...

    def is_up(self, station_id: UUID) -> bool: ...

    def answered(self, station_id: UUID) -> None:
        """Say that something came from the station, whatever it was."""
        ...

    def unanswered(self, station_id: UUID) -> None:
        """Say that a call ended without a word from the station: reason enough to look."""
        ...

    async def close(self) -> None: ...


class UnwatchedStations:
    """Nobody looks: all are up."""

    async def open(self, stations: Sequence[StationConfig], on_change: Callable[[], None]) -> None:
        pass

    def is_up(self, station_id: UUID) -> bool:  # noqa: ARG002
        return True

    def answered(self, station_id: UUID) -> None:
        pass

    def unanswered(self, station_id: UUID) -> None:
        pass

    async def close(self) -> None:
        pass
