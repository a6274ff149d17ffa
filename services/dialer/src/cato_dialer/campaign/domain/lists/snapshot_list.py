"""The list of a run: the subscribers of several groups without duplicates, or those of an earlier run."""

import io
import json
from collections.abc import Container, Iterable
from typing import Any

from cato_dialer.campaign.domain.lists.duplicates import person_key


def unreached_list(content: bytes, reached: Container[int]) -> tuple[bytes, int]:
    """Return the lines of a run's list whose `no` is not among `reached`, numbered anew, and their count."""
    lines = io.BytesIO()
    count = 0
    for line in io.BytesIO(content):
        subscriber: dict[str, Any] = json.loads(line)
        if subscriber["no"] in reached:
            continue
        subscriber["no"] = count
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


def zones_in(lines: bytes) -> frozenset[str | None]:
    """Return the time zones of the subscribers of a run, None among them if one has no zone."""
    return frozenset(json.loads(line).get("time_zone") for line in io.BytesIO(lines))


def _json_line(record: dict[str, Any]) -> bytes:
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
