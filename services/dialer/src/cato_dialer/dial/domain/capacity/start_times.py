"""The next start of a call through a station, by its minimum interval between calls."""

from dataclasses import dataclass
from datetime import datetime

from cato_contracts.instants import from_unix_ms, unix_ms

_MAX_LENIENCE_MS = 50
_LOST_CLOCK_MS = 60_000


@dataclass(frozen=True, slots=True)
class Start:
    """`next_free` is the station's next free start after this one (Unix ms), None without an interval."""

    at: datetime
    until: datetime | None
    delayed: bool
    next_free: int | None


def next_start(channels: int, interval_ms: int, now: datetime, next_free: int | None) -> Start:
    """Reserve the first free start from `now` on.

    A start may be late by a fifth of the interval, as a process is never exactly on time. From the last check
    of the clock to the wire it may take as long again on a busy machine. The next start is reserved for the
    case that both happen, so that two starts are never closer than the interval.
    """
    if interval_ms == 0:
        return Start(now, None, delayed=False, next_free=None)
    now_ms = unix_ms(now)
    lenience = min(max(1, interval_ms // 5), _MAX_LENIENCE_MS)
    step = interval_ms + 2 * lenience
    at_ms = max(now_ms, next_free or 0)
    # At most one start per channel is reserved, so a later one was written by a replica with a wrong clock.
    if at_ms > now_ms + (channels + 1) * step + _LOST_CLOCK_MS:
        at_ms = now_ms
    return Start(
        at=from_unix_ms(at_ms),
        until=from_unix_ms(at_ms + lenience),
        delayed=at_ms > now_ms,
        next_free=at_ms + step,
    )
