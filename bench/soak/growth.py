"""How much a measure has grown over a soak."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

MOST_GROWTH = 1.05
MOST_MORE = 2
WINDOW_S = 300.0
SIGNIFICANT = 2.0
"""Standard errors by which a growth must differ from none."""

Series = Sequence[tuple[float, float]]
"""The values of a measure, with their times in seconds from the start."""


@dataclass(frozen=True, slots=True)
class Growth:
    """A measure at the begin and at the end of a soak, and the standard error of the difference."""

    before: float
    after: float
    error: float
    fault: bool

    @property
    def ratio(self) -> float:
        return self.after / self.before if self.before else float(self.after > 0) + 1


def growth_of_memory(values: Series) -> Growth:
    """Compare the two ends of the line that fits best through the means of five minutes each.

    The memory of the broker and of the database goes up and down by a third within a minute, with the
    buffers of blocks and merges. How far their means are from the line says what the line may owe to chance;
    a leak gives a line that rises by more.
    """
    first, last = values[0][0], values[-1][0]
    windows: dict[int, list[tuple[float, float]]] = {}
    for at, value in values:
        windows.setdefault(int((at - first) / WINDOW_S), []).append((at, value))
    times = [statistics.mean(at for at, _ in window) for window in windows.values()]
    means = [statistics.mean(value for _, value in window) for window in windows.values()]
    slope, start = statistics.linear_regression(times, means)
    off = sum((mean - start - slope * at) ** 2 for at, mean in zip(times, means, strict=True))
    spread = statistics.pvariance(times) * len(times)
    error = (last - first) * (off / (len(times) - 2) / spread) ** 0.5
    before, after = start + slope * first, start + slope * last
    fault = after > MOST_GROWTH * before and after - before > SIGNIFICANT * error
    return Growth(before, after, error, fault)


def growth_of_count(values: Series) -> Growth:
    """Compare the lowest numbers of the first and the last five minutes.

    Consumers, connections and descriptors come and go with each query: the lowest number shows those that
    stay. Of a few, two more are more than 5 %, and no growth.
    """
    first, last = values[0][0] + WINDOW_S, values[-1][0] - WINDOW_S
    before = min(value for at, value in values if at < first)
    after = min(value for at, value in values if at >= last)
    return Growth(before, after, 0.0, after > MOST_GROWTH * before and after - before > MOST_MORE)
