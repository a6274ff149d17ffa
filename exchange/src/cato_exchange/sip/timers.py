"""The timers of RFC 3261 17 and table 4."""

from collections.abc import Callable

from cato_exchange.clock import Clock, Timer

T1 = 0.5
T2 = 4.0
TIMEOUT = 64 * T1
DEFAULT_PORT = 5060


class Backoff:
    """Calls `repeat` after T1 and then at doubled intervals up to `limit`."""

    def __init__(self, clock: Clock, repeat: Callable[[], None], limit: float) -> None:
        self._clock = clock
        self._repeat = repeat
        self._limit = limit
        self._interval = T1
        self._timer: Timer = clock.call_later(T1, self._due)

    def cancel(self) -> None:
        self._timer.cancel()

    def _due(self) -> None:
        self._interval = min(2 * self._interval, self._limit)
        # Scheduled first, because `repeat` may cancel.
        self._timer = self._clock.call_later(self._interval, self._due)
        self._repeat()
