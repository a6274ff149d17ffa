"""The list of a run: the subscribers of several groups, without duplicates."""

import io
import json
from collections.abc import Iterable
from typing import Any

from cato_dialer.campaign.domain.lists.duplicates import person_key


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
            lines.write(json.dumps(contact, ensure_ascii=False, separators=(",", ":")).encode())
            lines.write(b"\n")
    return lines.getvalue(), count
