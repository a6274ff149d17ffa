"""Bound the calls that begin in a short time: the library aborts when it runs out of socket handles.

A call takes two, for RTP and RTCP, of 64 (PJ_IOQUEUE_MAX_HANDLES, unless the library was built otherwise).
They are free again half a second after its end (PJ_IOQUEUE_KEY_FREE_DELAY). A station that refuses calls at
once would use up all of them within a tenth of a second.
"""

import math
from collections import deque

_CALLS_AT_LEAST = 30
"Two less than 64 handles are enough for."
_FREE_AFTER_MS = 600.0


def most_calls(calls: int) -> int:
    """Return how many calls may hold resources of the library, with `calls` at once.

    A library that is built for more calls must be built with more handles, too.
    """
    return max(_CALLS_AT_LEAST, 2 * calls)


class SocketQuota:
    """Counts the handles of the calls that are up, `calls` at most, and of those that ended lately."""

    def __init__(self, calls: int) -> None:
        self._calls = calls
        self._enough_for = most_calls(calls)
        self._ended: deque[float] = deque()
        self._known = 0

    def freed(self, placed: int, freed: int, now_ms: float) -> int:
        """Return how many of the placed calls may be reported as over.

        That is fewer than `freed` while new calls would find no handles.
        """
        self._ended.extend([now_ms + _FREE_AFTER_MS] * (freed - self._known))
        self._known = freed
        while self._ended and self._ended[0] <= now_ms:
            self._ended.popleft()
        room = self._enough_for - (placed - freed) - len(self._ended)
        return min(freed, placed - self._calls + room)

    def wait_ms(self, now_ms: float) -> int:
        """Return the time until handles become free again."""
        return max(math.ceil(self._ended[0] - now_ms), 0) if self._ended else 0
