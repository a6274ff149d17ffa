"""The log in memory: the same behaviour for tests and for trying things out."""

import asyncio
from collections.abc import AsyncGenerator, Sequence

from cato_jetstream.errors import Conflict, Corrupt, Rejected
from cato_jetstream.eventlog.log import Appended, Record

_MAX_BYTES = 1024 * 1024


class MemoryLog:
    """Implements `cato_jetstream.eventlog.log.Log` within one event loop."""

    def __init__(self) -> None:
        self._records: list[Record] = []
        self._by_subject: dict[str, list[Record]] = {}
        self._of_subscriber: dict[str, Record] = {}
        self._message_ids: dict[str, int] = {}
        self._appended = asyncio.Event()
        self._deleted: set[int] = set()

    @property
    def closed(self) -> bool:
        return False

    async def append(
        self, subject: str, data: bytes, *, expected: int, message_id: str, within: str | None = None
    ) -> Appended:
        """`within`: the condition is about the last message of `run.<id>.*.<no>`."""
        if len(data) > _MAX_BYTES:
            raise Rejected(f"{len(data)} bytes are too many for one message")
        of_subject = self._by_subject.setdefault(subject, [])
        last = of_subject[-1].sequence if of_subject else 0
        if within is not None:
            last = self._of_subscriber[within].sequence if within in self._of_subscriber else 0
        if last != expected:
            raise Conflict(f"{subject} is at {last}, not at {expected}")
        if message_id in self._message_ids:
            return Appended(self._message_ids[message_id], duplicate=True)
        record = Record(subject, len(self._records) + 1, data)
        self._records.append(record)
        of_subject.append(record)
        if (pattern := _of_subscriber(subject)) is not None:
            self._of_subscriber[pattern] = record
        self._message_ids[message_id] = record.sequence
        self._appended.set()
        self._appended = asyncio.Event()
        return Appended(record.sequence, duplicate=False)

    async def last(self, subject: str, *, fresh: bool = False) -> Record | None:
        if "*" in subject:
            return self._of_subscriber.get(subject)
        of_subject = self._by_subject.get(subject)
        return of_subject[-1] if of_subject else None

    async def next(self, subject: str, after: int) -> Record | None:
        return next((r for r in self._by_subject.get(subject, ()) if r.sequence > after), None)

    async def delete(self, sequence: int) -> None:
        record = self._records[sequence - 1]
        of_subject = self._by_subject[record.subject]
        if record in of_subject:
            of_subject.remove(record)
        self._deleted.add(sequence)

    async def end(self, subjects: Sequence[str]) -> int:
        there = (r for r in reversed(self._records) if r.sequence not in self._deleted)
        matching = (r.sequence for r in there if _matches_any(subjects, r.subject))
        return next(matching, 0)

    async def read(self, subjects: Sequence[str], *, after: int) -> AsyncGenerator[Record | None, None]:
        if after > len(self._records):
            raise Corrupt(f"the log ends at {len(self._records)}, but {after} has been read")
        position = after
        while True:
            while position < len(self._records):
                record = self._records[position]
                position += 1
                if record.sequence not in self._deleted and _matches_any(subjects, record.subject):
                    yield record
            appended = self._appended
            yield None
            if position == len(self._records):
                await appended.wait()


def _of_subscriber(subject: str) -> str | None:
    tokens = subject.split(".")
    return ".".join((*tokens[:2], "*", tokens[3])) if len(tokens) == 4 else None


def _matches_any(patterns: Sequence[str], subject: str) -> bool:
    return any(_matches(pattern.split("."), subject.split(".")) for pattern in patterns)


def _matches(pattern: list[str], subject: list[str]) -> bool:
    if pattern[-1] == ">":
        pattern = pattern[:-1]
        if len(subject) <= len(pattern):
            return False
        subject = subject[: len(pattern)]
    return len(pattern) == len(subject) and all(
        wanted in ("*", token) for wanted, token in zip(pattern, subject, strict=True)
    )
