"""Unix time in milliseconds: how moments are stored, compared and shown.

There is one rounding rule, towards the past: a moment belongs to the millisecond in which it lies. The
arithmetic is that of integers, as floating point is off by one now and then.
"""

import time
from datetime import UTC, datetime, timedelta

CLOCK_SKEW = timedelta(seconds=2)
"""How far the clocks of two machines may differ."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def now_ms() -> int:
    """Return the Unix time of now, in whole milliseconds."""
    return time.time_ns() // 1_000_000


def unix_ms(at: datetime) -> int:
    """Return the Unix time of an aware moment, in whole milliseconds."""
    return (at - _EPOCH) // _MILLISECOND


def from_unix_ms(milliseconds: int) -> datetime:
    """Return the moment in UTC."""
    return _EPOCH + milliseconds * _MILLISECOND


def whole_ms(at: datetime) -> datetime:
    """Return the beginning of the millisecond in which the moment lies, in UTC."""
    return from_unix_ms(unix_ms(at))
