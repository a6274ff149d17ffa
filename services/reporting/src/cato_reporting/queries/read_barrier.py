"""Makes queries wait until the projections have what the log has."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cato_contracts.errors import UnavailableError
from cato_reporting.errors import ReadModelAwayError
from cato_reporting.projections.live.live_projection import LiveProjection
from cato_reporting.projections.tables.projector import Projector

_FRESH_S = 4.0


class ReadBarrier:
    """Waits until a projection is up to date; raises UnavailableError after 4 seconds."""

    def __init__(self, live: LiveProjection, projector: Projector) -> None:
        self._live = live
        self._projector = projector

    @property
    def openings(self) -> int:
        """Return how often the tables were opened: a change means that they may be other tables."""
        return self._projector.openings

    async def caught_up(self) -> None:
        """Wait until the live reports have every message that is in the log now.

        Every query does this. It costs one request to the broker, and the answer then has everything that
        had happened when the query came: a client that pauses a run sees it paused.
        """
        if not await self._live.catch_up(timeout=_FRESH_S):
            raise UnavailableError("the reports are not up to date yet; try again")

    async def stored(self, position: int) -> None:
        """Wait until the tables are filled up to a position of the log."""
        if not await self._projector.caught_up(position, timeout=_FRESH_S):
            raise away()

    async def all_stored(self) -> None:
        """Wait until the tables have every message that is in the log now."""
        await self.caught_up()
        await self.stored(self._live.progress.position)

    @asynccontextmanager
    async def consistent(self) -> AsyncIterator[None]:
        """Refuse the query if the tables go away or are opened again in the block: rows may be missing."""
        openings = self._projector.openings
        try:
            yield
        except ReadModelAwayError as error:
            raise away() from error
        if self._projector.openings != openings:
            raise away()


def away() -> UnavailableError:
    return UnavailableError("the call history cannot be read at the moment; try again")
