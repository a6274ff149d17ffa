"""Times in whole milliseconds, as in the read model and the status document."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def unix_ms(at: datetime) -> int:
    """Return Unix time in ms by integer arithmetic: floating point is off by one at times."""
    return (at - _EPOCH) // _MILLISECOND


def from_unix_ms(milliseconds: int) -> datetime:
    return _EPOCH + milliseconds * _MILLISECOND


def whole_ms(at: datetime) -> datetime:
    return from_unix_ms(unix_ms(at))
