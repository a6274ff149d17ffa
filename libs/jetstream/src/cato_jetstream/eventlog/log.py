"""The port: an append-only log of messages under subjects, with one order for all of them."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Record:
    """One stored message. `sequence` is its position in the whole log, from 1, with gaps within a subject.

    `traceparent` is the header of that name, in messages that are read by a feed.
    """

    subject: str
    sequence: int
    data: bytes
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Appended:
    """`duplicate`: nothing was written; another write with this message id is in the log at `sequence`."""

    sequence: int
    duplicate: bool


class Log(Protocol):
    """Every method raises Unavailable when the log cannot be reached in time."""

    @property
    def closed(self) -> bool:
        """No further call can succeed."""
        ...

    async def append(self, subject: str, data: bytes, *, expected: int, message_id: str) -> Appended:
        """Write one message, provided that the last one of its subject has the sequence `expected` (0: none).

        Raises:
            Conflict: the last sequence is another one; the message may still be ours from an earlier attempt.
            Rejected: too large, or a malformed subject.

        """
        ...

    async def last(self, subject: str, *, fresh: bool = False) -> Record | None:
        """The last message of a subject; `fresh` asks the leader, where a replica may lag behind."""
        ...

    async def next(self, subject: str, after: int) -> Record | None:
        """The first message of a subject after a sequence."""
        ...

    async def delete(self, sequence: int) -> None:
        """Delete one message that is there and is not the last one of its subject."""
        ...

    async def end(self, subjects: Sequence[str]) -> int:
        """The sequence of the last message under these subjects (wildcards allowed), 0 if there is none."""
        ...

    def read(self, subjects: Sequence[str], *, after: int) -> AsyncGenerator[Record | None, None]:
        """Messages under these subjects (wildcards allowed), in order and without gaps, without end.

        None means that there was nothing more for a while.

        Raises:
            Unavailable: reading was interrupted; start again after the last message that was received.
            Corrupt: the log ends before `after`.

        """
        ...
