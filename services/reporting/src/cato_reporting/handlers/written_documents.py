"""The status document's part about subscribers, joined from what is written already (manual, 3.6)."""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence

from cato_reporting.ports import WrittenCalls, WrittenDetail

_written = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def written_statuses(detail: WrittenDetail) -> Iterator[tuple[int, str]]:
    """Yield each subscriber's number and status as JSON, in the order of the list."""
    called: defaultdict[int, list[WrittenCalls]] = defaultdict(list)
    for calls in detail.calls:
        called[calls.no].append(calls)
    for no, contact, phones in detail.subscribers:
        notified = "true" if no in detail.notified else "false"
        numbers = _phones(phones, called.get(no, ()))
        yield no, f'{{"notified":{notified},"subscriber":{contact},"phones":[{numbers}]}}'


def _phones(phones: str, called: Sequence[WrittenCalls]) -> str:
    numbers = dict(enumerate(json.loads(phones)))
    made = {}
    for calls in called:
        # The list may have lost its numbers by retention; a call that was made is shown all the same.
        numbers.setdefault(calls.phone_index, calls.number)
        made[calls.phone_index] = calls.text
    return ",".join(
        f'{{"number":{_written(number)},"calls":[{made.get(place, "")}]}}'
        for place, number in sorted(numbers.items())
    )
