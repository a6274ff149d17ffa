"""The port of what is kept about a number over all runs, and of the limits that concern its calls."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from cato_contracts.errors import CatoError
from cato_contracts.messages.jobs import DialJob
from cato_dialer.contacts import AppliedLimits, NumberRecord


class RecordMovedError(CatoError):
    """The record of a number has been written since it was read."""


_NOTHING = NumberRecord()


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A record, and the revision to write on top of (0: there is none)."""

    record: NumberRecord = _NOTHING
    revision: int = 0


class Contacts(Protocol):
    """The records of numbers, and the limits as last read. Numbers are given as lists have them."""

    async def open(self) -> None:
        """Read the limits, then follow their changes. Raises BrokerError."""
        ...

    async def close(self) -> None: ...

    @property
    def one_call_per_number(self) -> bool:
        """Whether a number is called once at a time even without any limit."""
        ...

    def limits_for(self, job: DialJob) -> tuple[AppliedLimits, ...]:
        """Return the limits that concern calls of a job, from memory."""
        ...

    def kept_for(self, job: DialJob) -> timedelta:
        """Return for how long a call counts: the longest period of all limits that are known."""
        ...

    def canonical(self, number: str) -> str:
        """Return the form by which numbers are compared."""
        ...

    async def read(self, number: str) -> StoredRecord:
        """Return the record of a number. Raises BrokerError."""
        ...

    async def write(self, number: str, record: NumberRecord, *, after: int, keep: timedelta) -> int:
        """Write the record on top of revision `after` and return its revision; it is kept for `keep`.

        Raises:
            RecordMovedError: if the record has another revision.
            BrokerError: if it is unknown whether it was written.

        """
        ...


class NoContacts:
    """Nothing is kept about numbers."""

    one_call_per_number = False

    async def open(self) -> None:
        return None

    async def close(self) -> None:
        return None

    def limits_for(self, job: DialJob) -> tuple[AppliedLimits, ...]:  # noqa: ARG002 - of the port
        return ()

    def kept_for(self, job: DialJob) -> timedelta:  # noqa: ARG002 - of the port
        return timedelta()

    def canonical(self, number: str) -> str:
        return number

    async def read(self, number: str) -> StoredRecord:  # noqa: ARG002 - of the port
        return StoredRecord()

    async def write(
        self,
        number: str,  # noqa: ARG002 - of the port
        record: NumberRecord,  # noqa: ARG002 - of the port
        *,
        after: int,
        keep: timedelta,  # noqa: ARG002 - of the port
    ) -> int:
        return after + 1
