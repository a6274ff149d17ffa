"""When calls may start: the window of the day, the days of the week, the time zone."""

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from cato_contracts.api.resources import SettingsSpec
from cato_contracts.api.rules.hours import TimeRestrictions

_DAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
_MINUTE = timedelta(minutes=1)
_SEARCH = timedelta(days=9)


def may_call(settings: SettingsSpec, zone: str, now: datetime) -> bool:
    """Return whether a call may start at `now`, an aware datetime.

    A window over midnight belongs to the weekday on which it opens: with SAT and 22:00-06:00, Sunday at
    five is allowed and Saturday at five is not.
    """
    local = now.astimezone(ZoneInfo(zone))
    window = settings.time_restrictions
    opened = local.date()
    if window is not None and not _whole_day(window):
        start, end = _bounds(window)
        clock = local.time()
        if start < end:
            if not start <= clock < end:
                return False
        elif clock < end:
            opened -= timedelta(days=1)
        elif clock < start:
            return False
    if opened in settings.excluded_dates:
        return False
    return settings.weekdays is None or _DAYS[opened.weekday()] in settings.weekdays


def may_call_in_all(settings: SettingsSpec, zones: Iterable[str], now: datetime) -> bool:
    """Return whether a call may start at `now` in each of these zones."""
    return all(may_call(settings, zone, now) for zone in zones)


def may_call_somewhere(settings: SettingsSpec, zones: Iterable[str], now: datetime) -> bool:
    """Return whether a call may start at `now` in one of these zones."""
    return any(may_call(settings, zone, now) for zone in zones)


def next_allowed(settings: SettingsSpec, zones: Iterable[str], now: datetime) -> datetime | None:
    """Return the first time from `now` on at which a call may start in each zone.

    None: there is none in the days that are searched.
    """
    zones, moment = list(zones), now
    while moment - now < _SEARCH:
        closed = next((zone for zone in zones if not may_call(settings, zone, moment)), None)
        if closed is None:
            return moment
        opens = next_change(settings, closed, moment)
        if opens is None:
            return None
        moment = opens
    return None


def next_change(settings: SettingsSpec, zone: str, now: datetime) -> datetime | None:
    """Return the first whole minute after `now` (UTC) at which `may_call` changes, None if it never does."""
    if settings.time_restrictions is None and settings.weekdays is None and not settings.excluded_dates:
        return None
    allowed = may_call(settings, zone, now)
    # `may_call` can only change at a bound of the window, at midnight, or where the offset changes.
    window = None if settings.time_restrictions is None else _bounds(settings.time_restrictions)
    yesterday = now.astimezone(ZoneInfo(zone)).date() - timedelta(days=1)
    for edge in _edges(window, zone, yesterday):
        if edge > now and may_call(settings, zone, edge) != allowed:
            return edge
    return None


def next_change_somewhere(
    settings: SettingsSpec, groups: Collection[Sequence[str]], now: datetime
) -> datetime | None:
    """Return when it changes whether a group may be called; None: not in the days that are searched.

    A group may be called while it is in hours in each of its zones.
    """

    def allowed(moment: datetime) -> bool:
        return any(may_call_in_all(settings, zones, moment) for zones in groups)

    every, before, moment = {zone for zones in groups for zone in zones}, allowed(now), now
    while moment - now < _SEARCH:
        changes = [change for zone in every if (change := next_change(settings, zone, moment)) is not None]
        if not changes:
            return None
        moment = min(changes)
        if allowed(moment) != before:
            return moment
    return None


def _whole_day(window: TimeRestrictions) -> bool:
    start, end = _bounds(window)
    return start == end


def _bounds(window: TimeRestrictions) -> tuple[time, time]:
    return time(window.from_hour, window.from_min), time(window.till_hour, window.till_min)


@lru_cache(maxsize=256)
def _edges(window: tuple[time, time] | None, zone: str, first: date) -> Sequence[datetime]:
    """Return the edges from a day on, in order. They are the same for all subscribers of a run."""
    tz = ZoneInfo(zone)
    clocks = {time(0), *(window or ())}
    days = [first + timedelta(days=n) for n in range(_SEARCH.days + 2)]
    edges = {
        datetime.combine(day, clock.replace(fold=fold), tz).astimezone(UTC)
        for day in days
        for clock in clocks
        for fold in (0, 1)
    }
    edges |= {edge.replace(fold=0) for edge in _offset_changes(days, tz)}
    return sorted(edges)


def _offset_changes(days: list[date], tz: ZoneInfo) -> list[datetime]:
    changes = []
    for day, following in pairwise(days):
        low = datetime.combine(day, time(0), tz).astimezone(UTC)
        high = datetime.combine(following, time(0), tz).astimezone(UTC)
        if low.astimezone(tz).utcoffset() == high.astimezone(tz).utcoffset():
            continue
        while high - low > _MINUTE:
            middle = low + (high - low) // 2
            middle = middle.replace(second=0, microsecond=0)
            if middle.astimezone(tz).utcoffset() == low.astimezone(tz).utcoffset():
                low = max(middle, low + _MINUTE)
            else:
                high = middle
        changes.append(high)
    return changes
