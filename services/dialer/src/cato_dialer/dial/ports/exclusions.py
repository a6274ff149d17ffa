"""Which numbers may not be called, and until when that stands."""

from datetime import UTC, datetime
from typing import Protocol

from cato_contracts.messages.jobs import DialJob

_FOR_EVER = datetime.max.replace(tzinfo=UTC)


class Exclusions(Protocol):
    """The exclusion lists in memory. Only `open` and `close` ask the broker."""

    async def open(self) -> None:
        """Read the lists. Raises BrokerError."""
        ...

    async def close(self) -> None: ...

    def excluded(self, job: DialJob) -> frozenset[int]:
        """Return the indexes of the job's numbers that may not be called now."""
        ...

    def usable_until(self) -> datetime | None:
        """Return until when a call may rely on the lists as they are now; None if no call may start."""
        ...

    def ordered(self, job: DialJob, phone_index: int, not_after: datetime) -> None:
        """Note a call that is ordered now, and that is sent until `not_after` or never."""
        ...


class NoExclusions:
    """No number is excluded."""

    async def open(self) -> None:
        return None

    async def close(self) -> None:
        return None

    def excluded(self, job: DialJob) -> frozenset[int]:  # noqa: ARG002 - of the port
        return frozenset()

    def usable_until(self) -> datetime | None:
        return _FOR_EVER

    def ordered(self, job: DialJob, phone_index: int, not_after: datetime) -> None:
        """Note nothing."""
