"""What the campaign role needs from outside, beside the event log and the object store."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from cato_contracts.errors import CatoError
from cato_contracts.jobs import DialJob, RunTicket
from cato_contracts.requests import Actor
from cato_contracts.resources import AudioFile
from cato_contracts.runs import SubscriberResult


class LeaseLostError(CatoError):
    """Somebody else drives the run now."""


class AudioLibrary(Protocol):
    """The prompts that media keeps."""

    async def files(self, actor: Actor, ids: Sequence[UUID]) -> list[AudioFile]:
        """Return these files in this order.

        Raises:
            InvalidError: naming those that are unknown.
            UnavailableError: if media does not answer.

        """
        ...


@dataclass(frozen=True, slots=True)
class QueuedResult:
    """A result that the coordinator gives: by its subscriber's last result in the log (0: none yet)."""

    result: SubscriberResult
    after: int


class DialQueue(Protocol):
    """The jobs that wait to be dialled, or are being dialled. All methods raise BrokerError."""

    async def open(self, run_id: UUID) -> None:
        """Make the consumer that dial replicas take the run's jobs from, if there is none."""
        ...

    async def enqueue(self, jobs: Sequence[DialJob]) -> None:
        """Queue these jobs; one that is queued already stays as it is."""
        ...

    async def count(self, run_id: UUID) -> int:
        """Return how many jobs of the run are queued or in hand."""
        ...

    async def queued(self, run_id: UUID, wave: int) -> set[int]:
        """Return the subscribers of the wave whose jobs are queued or in hand."""
        ...

    async def close(self, run_id: UUID) -> None:
        """Drop the run's jobs and the consumer; again is no error."""
        ...


class RunTickets(Protocol):
    """The runs that dial replicas take jobs of. All methods raise BrokerError."""

    async def put(self, ticket: RunTicket) -> None:
        """Write the ticket; the first time whatever it was, later only if nobody else has written.

        Raises:
            LeaseLostError: if somebody else has.

        """
        ...

    async def remove(self, run_id: UUID) -> None: ...


class RunCalls(Protocol):
    """What the log of a run says of calls, and what is written to it of subscribers. Raise BrokerError."""

    async def up(self, run_id: UUID, among: Collection[int] | None = None) -> frozenset[int]:
        """Return the subscribers who have a call without an end, among these (None: among all)."""
        ...

    async def give_results(self, results: Sequence[QueuedResult]) -> int:
        """Publish results; one whose subscriber has got another result meanwhile is dropped.

        Returns the sequence of the last one in the log, 0 if there is none.
        """
        ...


class Lease(Protocol):
    """The right to drive a run, for a while."""

    @property
    def valid_until(self) -> float:
        """The time of the event loop at which it is no longer certain that nobody else has it."""
        ...

    async def renew(self) -> None:
        """Prolong it.

        Raises:
            LeaseLostError: if somebody else has it, or had it.
            BrokerError: if that is not known: try again.

        """
        ...

    async def release(self) -> None:
        """Give it back, so that somebody else can have it at once. Raises BrokerError."""
        ...


class Leases(Protocol):
    """Who drives what."""

    async def acquire(self, name: str) -> Lease | None:
        """Return the lease, None while somebody else has it. Raises BrokerError."""
        ...
