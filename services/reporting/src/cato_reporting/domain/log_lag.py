"""What the service can tell about its own work: counted as it goes, shown when somebody asks."""

from bisect import bisect_left
from collections import deque

_BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_KEPT = 100_000


class Durations:
    """How often something took how long; `bounds` in seconds, the last class is beyond them all."""

    def __init__(self, bounds: tuple[float, ...] = _BOUNDS_S) -> None:
        self.total_s = 0.0
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)

    def add(self, seconds: float) -> None:
        self.total_s += seconds
        self._counts[bisect_left(self._bounds, seconds)] += 1

    def up_to(self) -> list[tuple[str, float]]:
        """Return how many took no longer than each bound; the last is `+Inf`, all of them."""
        counted = 0
        classes = []
        for bound, count in zip((*map(str, self._bounds), "+Inf"), self._counts, strict=True):
            counted += count
            classes.append((bound, float(counted)))
        return classes


class LogAges:
    """Where the log ended when: so a position of it has an age.

    A position is as old as the last moment at which the log had nothing after it.
    """

    def __init__(self, now: float) -> None:
        self._ends: deque[tuple[float, int]] = deque([(now, 0)], maxlen=_KEPT)

    def note(self, end: int, *, at: float) -> None:
        """Take down that the log ended at position `end` at the time `at` (seconds of any steady clock)."""
        if self._ends[-1][1] == end:
            self._ends.pop()
        self._ends.append((at, end))

    def age(self, position: int, *, now: float) -> float:
        """Return for how many seconds, at least, there has been something after the position."""
        latest = self._ends[0][0]
        for at, end in reversed(self._ends):
            if end <= position:
                latest = at
                break
        return max(0.0, now - latest)
