"""The ports of the campaign role, except the event log and the object store."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Protocol
from uuid import UUID

from cato_contracts.api.resources import AudioFile
from cato_contracts.api.rules.contacts import StoredContactLimits
from cato_contracts.api.rules.pacing import PacingRule
from cato_contracts.envelope import Envelope
from cato_contracts.errors import CatoError
from cato_contracts.messages.audit import ChangeMade
from cato_contracts.messages.campaign_commands import SubscriberListCheck
from cato_contracts.messages.jobs import DialJob, RunDispatchState
from cato_contracts.messages.runs import SubscriberResult
from cato_contracts.messages.stations import StationSight
from cato_contracts.requests import Actor
from cato_dialer.campaign.domain.lists.subscriber_list import ListOrder
from cato_dialer.contacts import NumberRecord


class LeaseLostError(CatoError):
    """Another replica drives the run now."""


class ListReader(Protocol):
    """Reads uploaded lists of subscribers."""

    async def read(
        self, source: Path, target: Path, order: ListOrder, *, deadline: float | None = None
    ) -> SubscriberListCheck:
        """Read the list in `source`, and write it to `target` as JSON lines of `Contact`.

        The lines are of use only if the list has no faults. `deadline` is a time of the event loop.

        Raises:
            InvalidError: if it is no list at all.
            TooLargeError: if it has too many subscribers.
            OverloadedError: if too many lists wait.
            UnavailableError: if there is not enough time before the deadline.

        """
        ...


class AudioLibrary(Protocol):
    """The audio files of the media service."""

    async def files(self, actor: Actor, ids: Sequence[UUID]) -> list[AudioFile]:
        """Return these files in this order.

        Raises:
            InvalidError: naming the unknown files.
            UnavailableError: if the media service does not answer.

        """
        ...


@dataclass(frozen=True, slots=True)
class QueuedResult:
    """A result from the coordinator. `after` is the sequence of the subscriber's last result (0: none)."""

    result: SubscriberResult
    after: int


class DialQueue(Protocol):
    """The queue of dial jobs, pending and in progress. All methods raise BrokerError."""

    async def open(self, run_id: UUID) -> None:
        """Create the consumer of the run's jobs, if it does not exist."""
        ...

    async def enqueue(self, jobs: Sequence[DialJob]) -> list[DialJob]:
        """Queue these jobs. A job that is already in the queue is kept as it is.

        Return the jobs that can never be queued, because they are larger than a message of the broker.
        """
        ...

    async def count(self, run_id: UUID) -> int:
        """Return the number of jobs of the run, pending and in progress."""
        ...

    async def queued(self, run_id: UUID, wave: int) -> set[int]:
        """Return the subscribers of the wave with a job, pending or in progress."""
        ...

    async def in_hand(self, run_id: UUID) -> set[int]:
        """Return the subscribers whose jobs were delivered to a dial replica and are still in the queue."""
        ...

    async def close(self, run_id: UUID) -> None:
        """Drop the run's jobs and the consumer. A repeated call is no error."""
        ...


class RunStates(Protocol):
    """The runs whose jobs dial replicas take. All methods raise BrokerError."""

    async def put(self, state: RunDispatchState) -> None:
        """Write the state: the first time unconditionally, then only over our own last write.

        Raises:
            LeaseLostError: if another replica has written it.

        """
        ...

    async def remove(self, run_id: UUID) -> None: ...


class Calendars(Protocol):
    """What is known of countries and numbering plans. Slow at first use, so it is called in a thread."""

    def is_known(self, calendar: str) -> bool:
        """Tell whether there are holidays of this country, or of this part of it (`DE-BY`)."""
        ...

    def holidays(self, calendar: str, years: Iterable[int]) -> frozenset[date]: ...

    def zones_of(self, number: str) -> tuple[str, ...]:
        """Return the time zones in which a number is in use; none if that is not known."""
        ...


class NoCalendars:
    """Nothing is known."""

    def is_known(self, calendar: str) -> bool:  # noqa: ARG002 - of the port
        return False

    def holidays(self, calendar: str, years: Iterable[int]) -> frozenset[date]:  # noqa: ARG002 - of the port
        return frozenset()

    def zones_of(self, number: str) -> tuple[str, ...]:  # noqa: ARG002 - of the port
        return ()


class PacingRules(Protocol):
    """The stored pacing rules. All methods raise BrokerError."""

    async def put(self, rule: PacingRule) -> None:
        """Store a rule, in place of the one with its name."""
        ...

    async def remove(self, name: str) -> None:
        """Remove the rule with a name. A repeated call is no error."""
        ...

    async def get(self, name: str) -> PacingRule | None: ...

    async def all(self) -> list[PacingRule]: ...


class MemoryPacingRules:
    """Rules in memory."""

    def __init__(self) -> None:
        self.rules: dict[str, PacingRule] = {}

    async def put(self, rule: PacingRule) -> None:
        self.rules[rule.name] = rule

    async def remove(self, name: str) -> None:
        self.rules.pop(name, None)

    async def get(self, name: str) -> PacingRule | None:
        return self.rules.get(name)

    async def all(self) -> list[PacingRule]:
        return list(self.rules.values())


class ContactLimitStore(Protocol):
    """The stored limits of contacts, by user; None is the system. All methods raise BrokerError."""

    async def put(self, limits: StoredContactLimits) -> None:
        """Store limits, in place of those of the same user."""
        ...

    async def remove(self, user_id: str | None) -> None:
        """Remove the limits of a user. A repeated call is no error."""
        ...

    async def get(self, user_id: str | None) -> StoredContactLimits | None: ...

    async def records(self, most: int) -> Mapping[str, NumberRecord] | None:
        """Return what is kept about numbers, in the form by which they are compared; None: about too many."""
        ...


class MemoryContactLimits:
    """Limits in memory, and `known` numbers."""

    def __init__(self) -> None:
        self.limits: dict[str | None, StoredContactLimits] = {}
        self.known: dict[str, NumberRecord] = {}

    async def put(self, limits: StoredContactLimits) -> None:
        self.limits[limits.user_id] = limits

    async def remove(self, user_id: str | None) -> None:
        self.limits.pop(user_id, None)

    async def get(self, user_id: str | None) -> StoredContactLimits | None:
        return self.limits.get(user_id)

    async def records(self, most: int) -> Mapping[str, NumberRecord] | None:
        return self.known if len(self.known) <= most else None


class RunCalls(Protocol):
    """The calls in the log of a run, and results written to it. All methods raise BrokerError."""

    async def up(self, run_id: UUID, among: Collection[int] | None = None) -> frozenset[int]:
        """Return the subscribers that have a call without an end, among these (None: among all)."""
        ...

    async def give_results(self, results: Sequence[QueuedResult]) -> int:
        """Publish results. Return the sequence of the last published one, 0 if there is none.

        A result is dropped if its subscriber has got another one since `after`, or has a call up. The start
        of a call that arrives after the result is rejected.
        """
        ...

    async def reject_starts(self, run_id: UUID, last: Mapping[int, int]) -> frozenset[int]:
        """Reject starts of calls that dial replicas may have on their way to these subscribers.

        `last` has the sequence of each subscriber's last result (0: none). Return those for whom that failed:
        the start has arrived.
        """
        ...


class AuditLog(Protocol):
    """The audit log. What users change is recorded by the gateway, so this is for what CATO does for them."""

    async def append(self, change: Envelope[ChangeMade]) -> None:
        """Record a change, once for its event id. Raises BrokerError."""
        ...


class NoAuditLog:
    """Records nothing."""

    async def append(self, change: Envelope[ChangeMade]) -> None:
        """Do nothing."""


class Lease(Protocol):
    """The exclusive right to drive a run, until it expires."""

    @property
    def valid_until(self) -> float:
        """The time of the event loop until which no other replica can have the lease."""
        ...

    async def renew(self) -> None:
        """Renew the lease.

        Raises:
            LeaseLostError: if another replica has it, or had it.
            BrokerError: if the outcome is unknown. Try again.

        """
        ...

    async def release(self) -> None:
        """Release the lease, so that another replica can acquire it at once. Raises BrokerError."""
        ...


class Leases(Protocol):
    """The leases of the runs."""

    async def acquire(self, name: str) -> Lease | None:
        """Return the lease, None while another replica has it. Raises BrokerError."""
        ...


class StationSightings(Protocol):
    """What the dial replicas announce about the stations."""

    async def start(self) -> None:
        """Begin to listen. Raises BrokerError."""
        ...

    async def stop(self) -> None: ...

    def on_change(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` whenever a replica has announced another state of a station, or has gone.

        Return the function that ends this.
        """
        ...

    def sights(self) -> Sequence[StationSight]:
        """Return what the running replicas see: one sight for each replica and station."""
        ...


class NoSightings:
    """No replica announces anything: no station is known."""

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass

    def on_change(self, listener: Callable[[], None]) -> Callable[[], None]:  # noqa: ARG002
        return lambda: None

    def sights(self) -> Sequence[StationSight]:
        return ()
