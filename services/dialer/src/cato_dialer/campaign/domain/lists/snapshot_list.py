"""The list of a run: the subscribers of several groups without duplicates, or those of an earlier run."""

import io
import json
from collections.abc import Callable, Container, Iterable
from typing import Any

from cato_contracts.api.rules.hours import LocalTime, ZoneSource
from cato_dialer.campaign.domain.lists.duplicates import person_key
from cato_dialer.campaign.domain.run.households import without_households
from cato_dialer.campaign.domain.run.local_time import subscriber_zones


def unreached_list(content: bytes, reached: Container[int]) -> tuple[bytes, int]:
    """Return the lines of a run's list whose `no` is not among `reached`, numbered anew, and their count."""
    lines = io.BytesIO()
    count = 0
    for line in io.BytesIO(content):
        subscriber = without_households(json.loads(line))
        if subscriber["no"] in reached:
            continue
        subscriber["no"] = count
        subscriber.pop("shared", None)  # of the run whose list this was
        count += 1
        lines.write(_json_line(subscriber))
    return lines.getvalue(), count


def snapshot_list(lists: Iterable[bytes]) -> tuple[bytes, int]:
    """Return JSON lines of `RunSubscriber` from JSON lines of `Contact`, and the number of lines.

    Two entries with the same name and the same numbers, in any order, are one person. The first entry stays.
    """
    seen: set[str] = set()
    lines = io.BytesIO()
    count = 0
    for content in lists:
        for line in io.BytesIO(content):
            contact: dict[str, Any] = json.loads(line)
            person = person_key(contact["full_name"], contact["phones"])
            if person in seen:
                continue
            seen.add(person)
            contact["no"] = count
            count += 1
            lines.write(_json_line(contact))
    return lines.getvalue(), count


def with_shared_numbers(lines: bytes, canonical: Callable[[str], str]) -> bytes:
    """Return the list of a run with a mark at the subscribers who share a number with another one.

    Members of one household share their calls, and are called as its first person.
    """
    owners: dict[str, int] = {}
    sharing: set[int] = set()
    for index, line in enumerate(io.BytesIO(lines)):
        subscriber = json.loads(line)
        called = subscriber.get("household_no", index)
        for number in subscriber["phones"]:
            owner = owners.setdefault(canonical(number), called)
            if owner != called:
                sharing |= {owner, called}
    if not sharing:
        return lines
    written = io.BytesIO()
    for index, line in enumerate(io.BytesIO(lines)):
        written.write(_json_line({**json.loads(line), "shared": True}) if index in sharing else line)
    return written.getvalue()


def with_number_zones(
    lines: bytes, local: LocalTime | None, zones_of: Callable[[str], Iterable[str]]
) -> bytes:
    """Return the list of a run with the zones of the subscribers' numbers, where `local` asks for these."""
    if local is None or ZoneSource.NUMBER not in local.detect:
        return lines
    written = io.BytesIO()
    for line in io.BytesIO(lines):
        subscriber: dict[str, Any] = json.loads(line)
        subscriber.pop("zones", None)  # of the run whose list this was
        zones = sorted({zone for number in subscriber["phones"] for zone in zones_of(number)})
        if zones:
            subscriber["zones"] = zones
        written.write(_json_line(subscriber))
    return written.getvalue()


def zones_in(lines: bytes, local: LocalTime | None) -> frozenset[str | None]:
    """Return the time zones of the subscribers of a run, None among them if one has no zone."""
    found: set[str | None] = set()
    for line in io.BytesIO(lines):
        subscriber = json.loads(line)
        found.update(
            subscriber_zones(local, subscriber.get("time_zone"), subscriber.get("zones", ())) or (None,)
        )
    return frozenset(found)


def _json_line(record: dict[str, Any]) -> bytes:
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
