"""Answers from the tables that are as fresh as the live reports, or none."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cato_contracts.errors import UnavailableError
from cato_reporting.errors import ReadModelAwayError
from cato_reporting.projections.live.live_projection import LiveFold
from cato_reporting.projections.tables.projector import ReadModelFiller

_FRESH_S = 4.0


class Freshness:
    """Waits until a query can be answered truly; raises UnavailableError when that takes too long."""

    def __init__(self, fold: LiveFold, filler: ReadModelFiller) -> None:
        self._fold = fold
        self._filler = filler

    @property
    def openings(self) -> int:
        """What changes when the tables may have been exchanged for others."""
        return self._filler.openings

    async def caught_up(self) -> None:
        """Wait until the live reports have all that is in the log now.

        With every query, not only for a run that nobody knows yet: it costs one question to the broker, and
        then an answer has all that had happened when it was asked for. Who pauses a run sees it paused.
        """
        if not await self._fold.catch_up(timeout=_FRESH_S):
            raise UnavailableError("the reports are behind what happens; try again")

    async def stored(self, position: int) -> None:
        """Wait until the tables have everything up to a position of the log."""
        if not await self._filler.caught_up(position, timeout=_FRESH_S):
            raise away()

    async def all_stored(self) -> None:
        """Wait until the tables have all that is in the log now."""
        await self.caught_up()
        await self.stored(self._fold.progress.position)

    @asynccontextmanager
    async def steady_tables(self) -> AsyncIterator[None]:
        """Refuse what was read while the tables were away, or may have been exchanged for empty ones."""
        openings = self._filler.openings
        try:
            yield
        except ReadModelAwayError as error:
            raise away() from error
        if self._filler.openings != openings:
            raise away()


def away() -> UnavailableError:
    return UnavailableError("the call history cannot be read at the moment; try again")
