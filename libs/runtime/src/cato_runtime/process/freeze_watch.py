"""Notice that this process stood still: by SIGSTOP, a suspended machine, or a lack of processor time."""

import asyncio

from cato_runtime.clock import Clock


class FreezeWatch:
    """Counts the freezes: the times in which `count` was not called for longer than `longest_s`."""

    def __init__(self, clock: Clock, longest_s: float) -> None:
        self._clock = clock
        self._longest_s = longest_s
        self._seen: tuple[float, float] | None = None
        self._count = 0

    def count(self) -> int:
        """Return how often the process has been frozen until now. Call it more often than `longest_s`.

        Both clocks count: the monotonic one stands still while the machine is suspended, and the wall clock
        may be set back.
        """
        now = (asyncio.get_running_loop().time(), self._clock.now().timestamp())
        before, self._seen = self._seen or now, now
        if max(now[0] - before[0], now[1] - before[1]) > self._longest_s:
            self._count += 1
        return self._count
