"""An event loop in virtual time, which jumps to the next timer when no callback is ready."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from cato_contracts.instants import unix_ms

T = TypeVar("T")


class _JumpingSelector(selectors.SelectSelector):
    """Advances the time instead of waiting; there is no I/O."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise RuntimeError("deadlock: all tasks wait and no timer is set")
        self.now += max(0.0, timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop without wall clock and threads, so that runs are deterministic."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now

    def freeze(self, seconds: float) -> None:
        """Stand still, as a process that is stopped by a signal: all timers are late afterwards."""
        self._jumping.now += seconds

    def run_in_executor(self, executor: object, func: Callable[..., T], *args: Any) -> asyncio.Future[T]:
        """Run the function at once, because a thread would make the order depend on real time."""
        done: asyncio.Future[T] = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - raised at the caller that awaits the future
            done.set_exception(error)
        return done


class LoopClock:
    """The wall clock of a virtual loop that started at `start`."""

    def __init__(self, start: datetime) -> None:
        self.start = start.astimezone(UTC)

    def now(self) -> datetime:
        return self.start + timedelta(seconds=asyncio.get_running_loop().time())

    def unix_ms(self) -> int:
        return unix_ms(self.now())


def run_virtually(main: Coroutine[Any, Any, T]) -> T:
    """Run to the end in virtual time.

    Raises:
        RuntimeError: on a deadlock, when all tasks wait and no timer is set.

    """
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)
