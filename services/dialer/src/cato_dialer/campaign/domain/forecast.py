"""What a task would do: counts of its list, and bounds of its duration."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import ceil

from cato_contracts.api.resources import SettingsSpec
from cato_dialer.campaign.domain.lists.duplicates import person_key

_STATION_RING_S = 60
"""With `maxAnswerDelayS` 0 the station decides how long a call rings; most end it about then."""
_CALL_OVERHEAD_S = 5
"""Set-up, the ringing before a quick answer, and hanging up."""
_IMPLAUSIBLE = re.compile(r"\+(0\d*|\d{1,6})")


@dataclass(frozen=True, slots=True)
class ListCounts:
    """People and numbers of a list: `repeated` entries are left out, `shared` numbers have several owners.

    `zones`: how many subscribers the list says to live in each time zone; None: it does not say.
    """

    subscribers: int
    numbers: int
    dialled: int
    repeated: int
    shared: int
    implausible: int
    zones: Mapping[str | None, int] = field(default_factory=dict)


def count_list(lists: Iterable[bytes]) -> ListCounts:
    """Count JSON lines of `Contact`, as the start of a task would take them."""
    people: set[str] = set()
    owners: Counter[str] = Counter()
    zones: Counter[str | None] = Counter()
    entries = 0
    for content in lists:
        for line in content.splitlines():
            contact = json.loads(line)
            entries += 1
            key = person_key(contact["full_name"], contact["phones"])
            if key not in people:
                people.add(key)
                owners.update(set(contact["phones"]))
                zones[contact.get("time_zone")] += 1
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
