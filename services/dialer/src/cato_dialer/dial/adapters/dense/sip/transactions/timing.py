"""The timers of SIP (RFC 3261, 17 and table 4), for many transactions at once."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """T1, T2 and T4 in seconds."""

    t1_s: float = 0.5
    t2_s: float = 4.0
    t4_s: float = 5.0

    @property
    def life_s(self) -> float:
        """Timers B, D, F, H, J, L and M."""
        return 64 * self.t1_s


class Delayed:
    """A callback that is due at a time of the loop, unless it is cancelled."""

    __slots__ = ("callback", "due")

    def __init__(self, due: float, callback: Callable[[], None]) -> None:
        self.due = due
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        self.callback = None


class Delays:
    """Calls back after one of a few delays.

    Each delay has a queue, which is in order by itself, and one timer of the loop. With thousands of calls a
    timer of the loop for each transaction costs more than its messages: the loop keeps all in one heap, and
    most wait for 32 s.
    """

    def __init__(self, timing: Timing) -> None:
        self.timing = timing
        self._loop = asyncio.get_running_loop()
        self._queues: dict[float, deque[Delayed]] = {}
        self._timers: dict[float, asyncio.TimerHandle] = {}

    def after(self, seconds: float, callback: Callable[[], None]) -> Delayed:
        delayed = Delayed(self._loop.time() + seconds, callback)
        queue = self._queues.get(seconds)
        if queue is None:
            queue = self._queues[seconds] = deque()
        queue.append(delayed)
        if seconds not in self._timers:
            self._timers[seconds] = self._loop.call_at(delayed.due, self._run, seconds)
        return delayed

    def close(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._queues.clear()

    def _run(self, seconds: float) -> None:
        """Call what is due; the timer is set for the next one that is not cancelled."""
        queue = self._queues[seconds]
        del self._timers[seconds]
        now = self._loop.time()
        try:
            while queue and (queue[0].callback is None or queue[0].due <= now):
                callback = queue.popleft().callback
                if callback is not None:
                    callback()
        finally:
            if queue and seconds not in self._timers:
                self._timers[seconds] = self._loop.call_at(max(queue[0].due, now), self._run, seconds)
