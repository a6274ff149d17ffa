"""Whom the calling hours allow to be called now, by the zones of a list."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from cato_contracts.api.calling_hours import may_call_in_all, next_allowed, next_change_somewhere
from cato_contracts.api.checks import ZoneOutOfHours
from cato_contracts.api.resources import SettingsSpec
from cato_dialer.campaign.domain.run.local_time import call_zones, run_zones


@dataclass(frozen=True, slots=True)
class HoursForecast:
    """`next_change_at`: when it changes whether somebody may be called; `skipped`: who is never called."""

    may_call: bool
    next_change_at: datetime | None
    out_of_hours: list[ZoneOutOfHours]
    skipped: int


def forecast_hours(
    settings: SettingsSpec, default: str, listed: Mapping[tuple[str, ...], int], now: datetime
) -> HoursForecast:
    """`listed` are the subscribers by their zones, if these are known; `default` is that of the settings."""
    local = settings.local_time
    every = run_zones(local, {zone for zones in listed for zone in zones or (None,)}, default)
    groups: Counter[tuple[str, ...]] = Counter()
    skipped = 0
    for found, subscribers in listed.items():
        zones = call_zones(local, found, every, default)
        if zones is None:
            skipped += subscribers
        else:
            groups[tuple(zones)] += subscribers
    closed = [
        ZoneOutOfHours(
            time_zone=zones[0] if len(zones) == 1 else None,
            subscribers=subscribers,
            opens_at=next_allowed(settings, zones, now),
        )
        for zones, subscribers in groups.items()
        if not may_call_in_all(settings, zones, now)
    ]
    return HoursForecast(
        may_call=len(closed) < len(groups),
        next_change_at=next_change_somewhere(settings, groups, now),
        out_of_hours=sorted(closed, key=lambda group: (-group.subscribers, group.time_zone or "")),
        skipped=skipped,
    )
