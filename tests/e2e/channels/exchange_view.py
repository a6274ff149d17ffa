"""Concurrency and intervals of calls, computed from the records of the exchange."""

from itertools import accumulate, pairwise
from typing import Any

Records = list[dict[str, Any]]


def load(records: Records) -> list[tuple[float, int]]:
    """Return the number of calls in progress after each change, with its time (Unix ms).

    A call is up from its INVITE to its end; at the same moment, an end counts before a start.
    """
    changes = [(record["invite_ms"], 1) for record in records] + [
        (record["end_ms"], -1) for record in records
    ]
    changes.sort()
    counts = accumulate(change for _, change in changes)
    return [(moment, count) for (moment, _), count in zip(changes, counts, strict=True)]


def peak(records: Records) -> int:
    return max(count for _, count in load(records))


def intervals_ms(records: Records) -> list[float]:
    """Return the intervals between successive INVITEs by the kernel's arrival times at the exchange."""
    times = sorted(record["invite_ms"] for record in records)
    return [after - before for before, after in pairwise(times)]
