"""The port of the messages that have not reached the log yet."""

from collections.abc import Mapping, Sequence
from typing import Protocol
from uuid import UUID

from cato_dialer.dial.ports.dial import JournalEntry

Entry = JournalEntry


class Unsent(Protocol):
    """Keeps messages over the death of this process; its next start writes them to the log."""

    def left(self) -> Mapping[tuple[UUID, int], Sequence[Entry]]:
        """Return what the previous process has left, by run and subscriber, in order."""
        ...

    def keep(self, run_id: UUID, no: int, entries: Sequence[Entry]) -> None:
        """Add messages of a subscriber; must not block, and does not raise."""
        ...

    def sent(self, run_id: UUID, no: int) -> None:
        """Forget the messages of a subscriber: the log has them, or they are void."""
        ...


class NotKept:
    """Keeps nothing: what was not sent dies with the process."""

    def left(self) -> Mapping[tuple[UUID, int], Sequence[Entry]]:
        return {}

    def keep(self, run_id: UUID, no: int, entries: Sequence[Entry]) -> None:
        """Do nothing."""

    def sent(self, run_id: UUID, no: int) -> None:
        """Do nothing."""
