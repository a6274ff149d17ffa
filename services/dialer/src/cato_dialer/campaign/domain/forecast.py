"""What a task would do: counts of its list, and bounds of its duration."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from math import ceil

from cato_contracts.api.resources import SettingsSpec
from cato_contracts.api.rules.hours import LocalTime, ZoneSource
from cato_dialer.campaign.domain.lists.duplicates import person_key
from cato_dialer.campaign.domain.run.local_time import subscriber_zones

_STATION_RING_S = 60
"""With `maxAnswerDelayS` 0 the station decides how long a call rings; most end it about then."""
_CALL_OVERHEAD_S = 5
"""Set-up, the ringing before a quick answer, and hanging up."""
_IMPLAUSIBLE = re.compile(r"\+(0\d*|\d{1,6})")


@dataclass(frozen=True, slots=True)
class ListCounts:
    """People and numbers of a list: `repeated` entries are left out, `shared` numbers have several owners.

    `zones`: how many subscribers there are by their time zones; none: these are not known.
    """

    subscribers: int
    numbers: int
    dialled: int
    repeated: int
    shared: int
    implausible: int
    zones: Mapping[tuple[str, ...], int] = field(default_factory=dict)


def count_list(
    lists: Iterable[bytes],
    local: LocalTime | None = None,
    zones_of: Callable[[str], Iterable[str]] = lambda _: (),
) -> ListCounts:
    """Count JSON lines of `Contact`, as the start of a task would take them."""
    by_number = local is not None and ZoneSource.NUMBER in local.detect
    people: set[str] = set()
    owners: Counter[str] = Counter()
    zones: Counter[tuple[str, ...]] = Counter()
    entries = 0
    for content in lists:
        for line in content.splitlines():
            contact = json.loads(line)
            entries += 1
            key = person_key(contact["full_name"], contact["phones"])
            if key not in people:
                people.add(key)
                owners.update(set(contact["phones"]))
                numbers = contact["phones"] if by_number else ()
                of_numbers = sorted({zone for number in numbers for zone in zones_of(number)})
                zones[subscriber_zones(local, contact.get("time_zone"), of_numbers)] += 1
    return ListCounts(
        subscribers=len(people),
        numbers=len(owners),
        dialled=owners.total(),
        repeated=entries - len(people),
        shared=sum(count > 1 for count in owners.values()),
        implausible=sum(_IMPLAUSIBLE.fullmatch(number) is not None for number in owners),
        zones=zones,
    )


def duration_bounds(
    counts: ListCounts, settings: SettingsSpec, message_ms: int, channels: int
) -> tuple[int, int]:
    """Return the least and the greatest duration of a run in seconds, with all channels for itself.

    The least: everyone answers the first call at once. The greatest: every number rings in vain in each wave.
    """
    talk = min(message_ms / 1000, settings.max_call_duration_s) + _CALL_OVERHEAD_S
    ring = (settings.max_answer_delay_s or _STATION_RING_S) + _CALL_OVERHEAD_S
    shortest = ceil(counts.subscribers / channels) * talk
    wave = ceil(counts.dialled / channels) * max(ring, talk)
    waits = (settings.attempt_count - 1) * settings.attempt_delay_s
    return ceil(shortest), ceil(settings.attempt_count * wave + waits)
