"""The life of the service."""

from contextlib import AsyncExitStack

from cato_media.handlers.deps import Deps
from cato_media.handlers.table import handler_table
from cato_runtime.clock import Clock
from cato_runtime.requests import RequestTable


class MediaService:
    """Answers requests about audio files and keeps its lists of them up to date."""

    def __init__(self, deps: Deps, clock: Clock) -> None:
        self._deps = deps
        self._running = AsyncExitStack()
        self.requests = RequestTable(clock, handler_table(deps))

    async def start(self) -> None:
        """Return when the lists are complete."""
        self._running.enter_context(self._deps.scratch.opened())
        await self._running.enter_async_context(self._deps.files.followed())

    async def drain(self) -> None:
        """Finish the uploads in progress."""
        await self._deps.uploads.until_idle()

    async def stop(self) -> None:
        """Stop following the log and remove the scratch files."""
        await self._running.aclose()
