"""Points in time as the read model and the status document have them: whole milliseconds."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def unix_ms(at: datetime) -> int:
    """Return Unix time in ms, exactly: no detour by floating point, which is off by one now and then."""
    return (at - _EPOCH) // _MILLISECOND


def from_unix_ms(milliseconds: int) -> datetime:
    return _EPOCH + milliseconds * _MILLISECOND


def whole_ms(at: datetime) -> datetime:
    return from_unix_ms(unix_ms(at))
