"""A position in the log, and waiting until it is reached."""

import asyncio


class Progress:
    """A position that only grows, except by `reset`."""

    def __init__(self) -> None:
        self._position = 0
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []

    @property
    def position(self) -> int:
        return self._position

    def advance(self, position: int) -> None:
        if position <= self._position:
            return
        self._position = position
        if not self._waiting:
            return
        still: list[tuple[int, asyncio.Future[None]]] = []
        for target, waiter in self._waiting:
            if target > position:
                still.append((target, waiter))
            elif not waiter.done():
                waiter.set_result(None)
        self._waiting = still

    def reset(self, position: int) -> None:
        """Set the position, also to a smaller one."""
        self._position = min(self._position, position)
        self.advance(position)

    async def reached(self, position: int, *, timeout: float) -> bool:
        """Wait until the position is reached; return False if `timeout` seconds pass first."""
        if position <= self._position:
            return True
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (position, waiter)
        self._waiting.append(entry)
        try:
            async with asyncio.timeout(timeout):
                await waiter
        except TimeoutError:
            return False
        finally:
            if entry in self._waiting:
                self._waiting.remove(entry)
        return True
