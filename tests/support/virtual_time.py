"""Time that stands still while anything can be done, and jumps to the next timer when nothing can."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

T = TypeVar("T")


class _JumpingSelector(selectors.SelectSelector):
    """Never waits and never looks: there is nothing outside that could happen."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise RuntimeError("everything waits for something that never happens")
        self.now += max(0.0, timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop without a wall clock and without threads: the same history twice is the same."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now

    def run_in_executor(self, executor: object, func: Callable[..., T], *args: Any) -> asyncio.Future[T]:
        """Do it here and now: a thread would bring the machine's own time in."""
        done: asyncio.Future[T] = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - the waiting one gets it, as from a thread
            done.set_exception(error)
        return done


class LoopClock:
    """The wall clock of a virtual loop that began at `start`."""

    def __init__(self, start: datetime) -> None:
        self.start = start.astimezone(UTC)

    def now(self) -> datetime:
        return self.start + timedelta(seconds=asyncio.get_running_loop().time())

    def unix_ms(self) -> int:
        return int(self.now().timestamp() * 1000)


def run_virtually(main: Coroutine[Any, Any, T]) -> T:
    """Run to the end, however long that takes there.

    Raises:
        RuntimeError: if it comes to a point from which nothing ever happens.

    """
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)
