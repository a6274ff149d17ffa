"""Stations that rest, because they have rejected a call with 503 and `Retry-After` (RFC 3261, 21.5.4)."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

_SERVICE_UNAVAILABLE = 503


def rest_s(sip_code: int | None, retry_after_s: int | None, longest_s: int) -> int:
    """Return how many seconds a station rests after this response, at most `longest_s`.

    With any other code, such as 480 or 486, `Retry-After` is about the called person.
    """
    if sip_code != _SERVICE_UNAVAILABLE or retry_after_s is None:
        return 0
    return min(retry_after_s, longest_s)


class StationRests:
    """Until when each station rests. Each dial process has its own, which does not survive a restart."""

    def __init__(self) -> None:
        self._until: dict[UUID, datetime] = {}

    def rest(self, station_id: UUID, until: datetime) -> None:
        """Let the station rest at least until this time."""
        self._until[station_id] = max(until, self._until.get(station_id, until))

    def resting_until(self, station_id: UUID, now: datetime) -> datetime | None:
        """Return when the station may be called again, None if it may be called now."""
        until = self._until.get(station_id)
        return until if until is not None and until > now else None

    def first_awake(self, station_ids: Iterable[UUID], now: datetime) -> datetime:
        """Return when the first of these stations may be called; `now` if one may."""
        return min((self.resting_until(station_id, now) or now for station_id in station_ids), default=now)
