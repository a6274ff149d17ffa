"""Exclusion lists on logs in memory."""

import asyncio

from cato_contracts.numbering import Numbering
from cato_dialer.campaign.handlers.exclusions.stored_changes import change_decoder
from cato_dialer.exclusions.book import ExclusionBook
from cato_dialer.exclusions.reader import ExclusionReader
from cato_jetstream import Log
from cato_runtime.clock import Clock
from cato_runtime.objects import ObjectStore


def exclusion_reader(events: Log, objects: ObjectStore, clock: Clock) -> ExclusionReader:
    """Return a reader as one process has it."""
    return ExclusionReader(events, objects, change_decoder(events, clock), ExclusionBook(Numbering()))


class MemoryReadings:
    """The positions of all dialers, by their names, with the time of the loop at which each expires."""

    def __init__(self) -> None:
        self.announced: dict[str, tuple[int, float]] = {}

    def of(self, name: str) -> "MemoryReadingBoard":
        return MemoryReadingBoard(self, name)


class MemoryReadingBoard:
    """The board as one process sees it."""

    def __init__(self, readings: MemoryReadings, name: str) -> None:
        self._readings = readings
        self._name = name

    async def announce(self, position: int, ttl_s: int) -> None:
        expires_at = asyncio.get_running_loop().time() + ttl_s
        self._readings.announced[self._name] = (position, expires_at)

    async def withdraw(self) -> None:
        self._readings.announced.pop(self._name, None)

    async def positions(self) -> list[int]:
        now = asyncio.get_running_loop().time()
        return [position for position, expires_at in self._readings.announced.values() if expires_at > now]
