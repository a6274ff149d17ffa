"""The next start of a call: through a station, by its minimum interval, and by the step of a pacing rule."""

from dataclasses import dataclass
from datetime import datetime

from cato_contracts.instants import from_unix_ms, unix_ms

_MAX_LENIENCE_MS = 50
_LOST_CLOCK_MS = 60_000


@dataclass(frozen=True, slots=True)
class Start:
    """A start from `at` to `until`, and the next free start after it (Unix ms)."""

    at: datetime
    until: datetime
    delayed: bool
    next_free: int


def first_free(
    earliest: datetime, next_free: int | None, *, step_ms: int, lenience_ms: int, reserved: int = 1
) -> Start:
    """Return the first free start from `earliest` on.

    At most `reserved` starts are reserved before their time, so a later `next_free` was written by a replica
    with a wrong clock, and does not count.
    """
    earliest_ms = unix_ms(earliest)
    at_ms = max(earliest_ms, next_free or 0)
    if at_ms > earliest_ms + reserved * step_ms + _LOST_CLOCK_MS:
        at_ms = earliest_ms
    return Start(
        at=from_unix_ms(at_ms),
        until=from_unix_ms(at_ms + lenience_ms),
        delayed=at_ms > earliest_ms,
        next_free=at_ms + step_ms,
    )


def next_start(channels: int, interval_ms: int, now: datetime, next_free: int | None) -> Start:
    """Return the first free start from `now` on of a station with an interval.

    A start may be late by a fifth of the interval, as a process is never exactly on time. From the last check
    of the clock to the wire it may take as long again on a busy machine. The next start is reserved for the
    case that both happen, so that two starts are never closer than the interval.
    """
    lenience = min(max(1, interval_ms // 5), _MAX_LENIENCE_MS)
    step = interval_ms + 2 * lenience
    # One start for each channel, and the one that is asked for.
    return first_free(now, next_free, step_ms=step, lenience_ms=lenience, reserved=channels + 1)
