"""The age of a position of the log."""

from collections import deque

_KEPT = 100_000


class LogLag:
    """Remembers the end of the log at several times.

    A position is as old as the last moment at which the log had nothing after it. Times are seconds of a
    monotonic clock.
    """

    def __init__(self, now: float) -> None:
        self._ends: deque[tuple[float, int]] = deque([(now, 0)], maxlen=_KEPT)

    def note(self, end: int, *, at: float) -> None:
        """Remember that the log ended at position `end` at the time `at`."""
        if self._ends[-1][1] == end:
            self._ends.pop()
        self._ends.append((at, end))

    def age(self, position: int, *, now: float) -> float:
        """Return for how many seconds, at least, the log has had a message after the position."""
        latest = self._ends[0][0]
        for at, end in reversed(self._ends):
            if end <= position:
                latest = at
                break
        return max(0.0, now - latest)
