"""How many uploads are in progress."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

_SLOTS = 8
"""Uploads at once: each takes disk space, and few decoders run at a time anyway."""


class Uploads:
    """Counts the uploads in progress; `slots` bounds how many of them are worked on at once."""

    def __init__(self) -> None:
        self.slots = asyncio.Semaphore(_SLOTS)
        self._count = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count one upload as in progress while the context lasts."""
        self._count += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._count -= 1
            if not self._count:
                self._idle.set()

    async def until_idle(self) -> None:
        """Wait until no upload is in progress."""
        await self._idle.wait()
