"""How much a measure has grown over a soak."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

MOST_GROWTH = 1.05
MOST_MORE = 2

Series = Sequence[tuple[float, float]]
"""The values of a measure, with their times in seconds from the start."""


@dataclass(frozen=True, slots=True)
class Growth:
    """A measure at the begin and at the end of a soak."""

    before: float
    after: float
    fault: bool

    @property
    def ratio(self) -> float:
        return self.after / self.before if self.before else float(self.after > 0) + 1


def growth_of_memory(values: Series) -> Growth:
    """Compare the two ends of the line that fits best.

    The memory of the broker and of the database goes up and down by a third within a minute, with the
    buffers of blocks and merges, so that two samples of five minutes differ without a reason. What leaks
    gives a line that rises.
    """
    times = [at for at, _ in values]
    slope, start = statistics.linear_regression(times, [value for _, value in values])
    before, after = start + slope * times[0], start + slope * times[-1]
    return Growth(before, after, after > MOST_GROWTH * before)


def growth_of_count(values: Series, window_s: float) -> Growth:
    """Compare the lowest numbers of the first and the last `window_s`.

    Consumers, connections and descriptors come and go with each query: the lowest number shows those that
    stay. Of a few, two more are more than 5 %, and no growth.
    """
    first, last = values[0][0] + window_s, values[-1][0] - window_s
    before = min(value for at, value in values if at < first)
    after = min(value for at, value in values if at >= last)
    return Growth(before, after, after > MOST_GROWTH * before and after - before > MOST_MORE)
