"""The zones in whose calling hours the subscribers of a run are called, if the hours are their own."""

from collections.abc import Collection, Sequence

from cato_contracts.api.rules.hours import LocalTime, UnknownZone


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
    local: LocalTime | None, own: str | None, zones: Sequence[str], default: str
) -> list[str] | None:
    """Return the zones in all of which a call to a subscriber must be in hours; None: it is never called.

    `own` is the zone of the subscriber, `zones` are those of the run.
    """
    if local is None:
        return [default]
    if own is not None:
        return [own]
    match local.when_unknown:
        case UnknownZone.DEFAULT:
            return [default]
        case UnknownZone.ALL_ZONES:
            return list(zones)
        case UnknownZone.SKIP:
            return None
