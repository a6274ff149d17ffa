"""The zones in whose calling hours the subscribers of a run are called, if the hours are their own."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, timedelta

from cato_contracts.api.resources import MAX_EXCLUDED_DATES
from cato_contracts.api.rules.hours import LocalTime, UnknownZone, ZoneSource


def subscriber_zones(
    local: LocalTime | None, own: str | None, of_numbers: Iterable[str] = ()
) -> tuple[str, ...]:
    """Return the zones of a subscriber; none if they are not known.

    `own` is the zone that the list says, `of_numbers` are those in which the numbers are in use.
    """
    for source in local.detect if local is not None else ():
        if source is ZoneSource.SUBSCRIBER and own is not None:
            return (own,)
        if source is ZoneSource.NUMBER and (found := tuple(of_numbers)):
            return found
    return ()


def run_zones(local: LocalTime | None, listed: Collection[str | None], default: str) -> list[str]:
    """Return the zones of a run; none if the hours of one zone apply to everybody.

    `listed` are the zones in the list, None if a subscriber has none. `default` is the zone of the settings.
    """
    if local is None:
        return []
    known = {zone for zone in listed if zone is not None}
    if not known or (None in listed and local.when_unknown is UnknownZone.DEFAULT):
        known.add(default)
    return sorted(known)


def call_zones(
    local: LocalTime | None, found: Sequence[str], zones: Sequence[str], default: str
) -> list[str] | None:
    """Return the zones in all of which a call to a subscriber must be in hours; None: it is never called.

    `found` are the zones of the subscriber, `zones` are those of the run.
    """
    if local is None:
        return [default]
    if found:
        return list(found)
    match local.when_unknown:
        case UnknownZone.DEFAULT:
            return [default]
        case UnknownZone.ALL_ZONES:
            return list(zones)
        case UnknownZone.SKIP:
            return None


def dates_without_calls(excluded: Iterable[date], holidays: Iterable[date], today: date) -> list[date]:
    """Return the dates of the settings and the holidays, in order, without those that are over.

    There are as many as settings may have. Yesterday counts: a window over midnight may have opened then.
    """
    ahead = {day for day in (*excluded, *holidays) if day >= today - timedelta(days=2)}
    return sorted(ahead)[:MAX_EXCLUDED_DATES]
