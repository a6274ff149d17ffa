"""When the next call through a station may start, by its minimum interval between calls."""

from dataclasses import dataclass
from datetime import UTC, datetime

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

    A process is never quite on time, so a start may be a fifth of the interval late; and from its last look
    at the clock to the wire it may need as long again, when others have the processor. The next start is
    reserved as if both came true, so that two are never closer than the interval.
    """
    if interval_ms == 0:
        return Start(now, None, delayed=False, next_free=None)
    now_ms = int(now.timestamp() * 1000)
    lenience = min(max(1, interval_ms // 5), _MAX_LENIENCE_MS)
    step = interval_ms + 2 * lenience
    at_ms = max(now_ms, next_free or 0)
    # No more starts can be reserved than there are channels: what is later comes from a clock gone wrong.
    if at_ms > now_ms + (channels + 1) * step + _LOST_CLOCK_MS:
        at_ms = now_ms
    return Start(
        at=_moment(at_ms),
        until=_moment(at_ms + lenience),
        delayed=at_ms > now_ms,
        next_free=at_ms + step,
    )


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
