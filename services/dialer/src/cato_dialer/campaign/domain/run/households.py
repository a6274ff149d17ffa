"""Households: people of a run who have the same numbers and share their calls (decision 39).

The first person in the order of the list is called. A result of that person is the result of all members, so
the jobs, the events of calls and the results of a run are those of first persons only.
"""

import io
import json
from collections.abc import Callable, Mapping
from typing import Any

from pydantic_core import to_json

from cato_contracts.api.rules.hours import LocalTime
from cato_dialer.campaign.domain.run.local_time import subscriber_zones

MOST_MEMBERS = 32
"""More people with the same numbers, as in a hostel, are several households: each member names the others."""

_FIELDS = ("household", "household_no", "members", "shared_with")


class Households:
    """The households of a run of `count` subscribers: `members` are the others, by the first person."""

    def __init__(self, count: int, members: Mapping[int, list[int]] | None = None) -> None:
        self._members = dict(members or {})
        self._further = bytearray(count)
        for nos in self._members.values():
            for no in nos:
                self._further[no] = 1

    def is_called(self, no: int) -> bool:
        """Return whether the subscriber has jobs: all but the further members of households do."""
        return not self._further[no]

    def members(self, no: int) -> list[int]:
        """Return the others of a first person's household."""
        return self._members.get(no, [])

    @classmethod
    def of_list(cls, count: int, lines: bytes) -> "Households":
        """Read the households from the list of a run."""
        found = {}
        for no, line in enumerate(io.BytesIO(lines)):
            # Most lines have none and need not be parsed.
            if b'"members":' in line and (members := json.loads(line).get("members")):
                found[no] = members
        return cls(count, found)


def without_households(subscriber: dict[str, Any]) -> dict[str, Any]:
    """Return a line of the list of a run without the household that it had there."""
    return {name: value for name, value in subscriber.items() if name not in _FIELDS}


def with_households(
    lines: bytes, canonical: Callable[[str], str], local: LocalTime | None
) -> tuple[bytes, int]:
    """Return the list of a run with its households, and how many subscribers share the calls of another one.

    Members have the same numbers, in any order and form.

    With hours of each subscriber's own zone (`local`), members have the same zones, too: a call must be in
    the hours of all whom it is for.
    """
    household_of = _grouped(lines, canonical, local)
    if not household_of:
        return lines, 0
    sharing = 0
    written = io.BytesIO()
    for no, line in enumerate(io.BytesIO(lines)):
        if (household := household_of.get(no)) is None:
            written.write(line)
            continue
        first_no, (first_id, _) = next(iter(household.items()))
        others = [other for other in household if other != no]
        subscriber = json.loads(line) | {
            "shared_with": [household[other][1] for other in others],
            "household": first_id,
            "household_no": first_no,
        }
        if no == first_no:
            subscriber["members"] = others
            sharing += len(others)
        written.write(to_json(subscriber) + b"\n")
    return written.getvalue(), sharing


_People = dict[int, tuple[str, str]]
"""The id and the name of each member, by the index in the list."""


def _grouped(lines: bytes, canonical: Callable[[str], str], local: LocalTime | None) -> dict[int, _People]:
    """Return the household of everyone who has one."""
    latest: dict[tuple[frozenset[str], tuple[str, ...]], _People] = {}
    found: dict[int, _People] = {}
    for no, line in enumerate(io.BytesIO(lines)):
        subscriber = json.loads(line)
        zones = subscriber_zones(local, subscriber.get("time_zone"), subscriber.get("zones", ()))
        key = frozenset(map(canonical, subscriber["phones"])), tuple(zones)
        household = latest.get(key)
        if household is None or len(household) == MOST_MEMBERS:
            household = latest[key] = {}
        household[no] = subscriber["id"], subscriber["full_name"]
        found[no] = household
    return {no: household for no, household in found.items() if len(household) > 1}
