"""The status document's part about subscribers, joined from what is written already (manual, 3.6)."""

import json
from collections import defaultdict
from collections.abc import Iterator

from cato_contracts.runs import RunSubscriber
from cato_reporting.ports import WrittenCall, WrittenDetail

_written = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def written_statuses(detail: WrittenDetail) -> Iterator[tuple[int, str]]:
    """Yield each subscriber's number and status as JSON, in the order of the list."""
    calls: defaultdict[int, list[WrittenCall]] = defaultdict(list)
    for call in detail.calls:
        calls[call.no].append(call)
    for subscriber in detail.subscribers:
        contact = {
            "fullName": subscriber.full_name,
            "phones": subscriber.phones,
            "emails": subscriber.emails,
        }
        notified = "true" if subscriber.no in detail.notified else "false"
        phones = _phones(subscriber, calls[subscriber.no])
        yield (
            subscriber.no,
            f'{{"notified":{notified},"subscriber":{_written(contact)},"phones":[{phones}]}}',
        )


def _phones(subscriber: RunSubscriber, calls: list[WrittenCall]) -> str:
    numbers = dict(enumerate(subscriber.phones))
    made: defaultdict[int, list[str]] = defaultdict(list)
    for call in calls:
        # The list may have lost its numbers by retention; a call that was made is shown all the same.
        numbers.setdefault(call.phone_index, call.number)
        made[call.phone_index].append(call.text)
    return ",".join(
        f'{{"number":{_written(numbers[place])},"calls":[{",".join(made[place])}]}}'
        for place in sorted(numbers)
    )
