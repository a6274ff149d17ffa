"""How many calls the library may begin in a short time: it aborts when it runs out of handles for sockets.

A call has two, for RTP and RTCP, of 64 unless the library was built otherwise (PJ_IOQUEUE_MAX_HANDLES), and
they can be used again only half a second after its end (PJ_IOQUEUE_KEY_FREE_DELAY). A station that refuses
calls at once would use up all of them within a tenth of a second.
"""

import math
from collections import deque

_CALLS_AT_LEAST = 30
"Two short of what 64 handles are enough for."
_FREE_AFTER_MS = 600.0


def most_calls(calls: int) -> int:
    """Return how many calls of the last moment may still have something of the library's, `calls` at once.

    Whoever builds the library for more calls has to build it with more handles, too.
    """
    return max(_CALLS_AT_LEAST, 2 * calls)


class Handles:
    """Counts what the calls at once, `calls` at most, and those of the last moment have."""

    def __init__(self, calls: int) -> None:
        self._calls = calls
        self._enough_for = most_calls(calls)
        self._ended: deque[float] = deque()
        self._known = 0

    def freed(self, placed: int, freed: int, now_ms: float) -> int:
        """Return how many of the calls that were placed may be called over: fewer than are, where new ones
        would find no handles.
        """
        self._ended.extend([now_ms + _FREE_AFTER_MS] * (freed - self._known))
        self._known = freed
        while self._ended and self._ended[0] <= now_ms:
            self._ended.popleft()
        room = self._enough_for - (placed - freed) - len(self._ended)
        return min(freed, placed - self._calls + room)

    def wait_ms(self, now_ms: float) -> int:
        """Return how long until some are free again."""
        return max(math.ceil(self._ended[0] - now_ms), 0) if self._ended else 0
