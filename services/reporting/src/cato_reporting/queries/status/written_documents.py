"""The subscribers of the status document, joined from JSON that the database has written (manual, 3.6)."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from pydantic_core import from_json, to_json

from cato_reporting.domain.written_detail import WrittenCalls, WrittenDetail


def written_statuses(detail: WrittenDetail) -> Iterator[tuple[int, bytes]]:
    """Yield each subscriber's number and status as JSON, in the order of the list."""
    called: defaultdict[int, list[WrittenCalls]] = defaultdict(list)
    for calls in detail.calls:
        called[calls.no].append(calls)
    for no, contact, phones, sharing in detail.subscribers:
        notified = b"true" if no in detail.notified else b"false"
        numbers = _phones(phones, called.get(no, ()))
        due = detail.next_attempts.get(no)
        more = b"" if due is None else b',"nextAttemptAt":%d' % due
        more += sharing
        yield no, b'{"notified":%b,"subscriber":%b,"phones":[%b]%b}' % (notified, contact, numbers, more)


def _phones(phones: bytes, called: Sequence[WrittenCalls]) -> bytes:
    numbers: dict[int, str] = dict(enumerate(from_json(phones)))
    made = {}
    for calls in called:
        # The numbers of the list may have expired; calls are shown anyway.
        numbers.setdefault(calls.phone_index, calls.number.decode())
        made[calls.phone_index] = calls.text
    return b",".join(
        b'{"number":%b,"calls":[%b]}' % (to_json(number), made.get(index, b""))
        for index, number in sorted(numbers.items())
    )
