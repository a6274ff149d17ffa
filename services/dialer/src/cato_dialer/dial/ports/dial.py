"""What the dial role needs from outside, beside the trunk."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from cato_contracts.calls import CallEvent
from cato_contracts.envelope import Envelope
from cato_contracts.errors import CatoError
from cato_contracts.jobs import DialJob, RunTicket
from cato_contracts.objects import ObjectRef
from cato_contracts.runs import Prompt, SubscriberResult


class FencedError(CatoError):
    """Somebody else has written for this subscriber since: they work on it now, we must not."""


class PromptMissingError(CatoError):
    """The store has no such prompt and will not have it later."""


@dataclass(frozen=True, slots=True)
class SubscriberLog:
    """What the log says of a subscriber of a run; the heads are the last sequences, 0 where there is none."""

    events: tuple[CallEvent, ...] = ()
    events_head: int = 0
    result: SubscriberResult | None = None
    result_head: int = 0


class CallJournal(Protocol):
    """The log of calls and results. Each write names the head that it builds on and returns the new one.

    A write that is repeated after a lost answer succeeds. Raises `FencedError` if the head is another's,
    `BrokerError` if there was no answer: whether it was written is unknown, and it is safe to repeat.
    """

    async def read(self, run_id: UUID, no: int) -> SubscriberLog: ...

    async def append_event(self, event: Envelope[CallEvent], after: int) -> int: ...

    async def append_result(self, result: Envelope[SubscriberResult], after: int) -> int: ...


class JobHold(Protocol):
    """A job in hand: kept by heartbeats until one of the methods is called. None of them raises."""

    @property
    def key(self) -> str:
        """What makes the job the same one when it is delivered again."""
        ...

    @property
    def job(self) -> DialJob: ...

    @property
    def redelivered(self) -> bool:
        """Somebody may have worked on it before."""
        ...

    async def done(self) -> None:
        """It is finished and goes from the queue."""
        ...

    async def give_back(self, delay_s: float) -> None:
        """Somebody may have it after that time."""
        ...

    async def keep(self) -> None:
        """Tell the queue that it is being worked on."""
        ...


class JobSource(Protocol):
    """The queue of jobs and the runs that there are."""

    async def open(self, on_change: Callable[[], None], has_call: Callable[[str], bool]) -> None:
        """Begin.

        `on_change` is called whenever a ticket has changed or there may be something to take; `has_call`
        tells others whether we have a call up for the job of that key, or one that is not all told yet.
        """
        ...

    async def on_call_elsewhere(self, key: str) -> bool:
        """Ask the other replicas whether one has a call up for the job of this key.

        A replica whose heartbeats did not get through may well be alive, and the subscriber on the line.

        Raises:
            BrokerError: if nobody can be asked.

        """
        ...

    def tickets(self) -> Mapping[UUID, RunTicket]:
        """Return the runs as last seen."""
        ...

    async def take(self, run_id: UUID, limit: int) -> Sequence[JobHold]:
        """Take what is there now, up to `limit` (1 or more).

        If that is less than `limit`, `on_change` tells when there may be more. Nothing while the broker is
        away.
        """
        ...

    async def return_unused(self) -> None:
        """Give back jobs that have come since and that nobody can work on now."""
        ...

    async def close(self) -> None: ...


class Channel(Protocol):
    """The right to one call through one station."""

    @property
    def station_id(self) -> UUID: ...

    def release(self) -> None:
        """Give it back; a second time does nothing."""
        ...


@dataclass(frozen=True, slots=True)
class StartSlot:
    """When a call may be started: not before `at`, not after `until` (None: any time)."""

    at: datetime
    until: datetime | None
    delayed: bool


class ChannelLedger(Protocol):
    """Who may use how many channels of which station, over all replicas."""

    async def open(self) -> None: ...

    def acquire(self, station_id: UUID) -> Channel | None:
        """Return a channel of the station if one is at hand, else None; `freed` tells when to ask again."""
        ...

    def capacity(self) -> int:
        """Return how many calls at once this replica may expect to have, those that are up included."""
        ...

    def freed(self, station_ids: Sequence[UUID]) -> Coroutine[Any, Any, None]:
        """Say that channels of these stations are wanted; what is returned ends once one of them may be had.

        It hears of all that is freed from this call on, though it be awaited only later.
        """
        ...

    async def reserve_start(self, station_id: UUID) -> StartSlot:
        """Reserve the station's next time to start a call, by its minimum interval.

        Raises:
            BrokerError: if no slot could be had in time.

        """
        ...

    async def close(self) -> None: ...


class CallObserver(Protocol):
    """Is told every event of the calls made here."""

    def note(self, event: CallEvent, at: int) -> None:
        """Take in an event that happened at `at` (Unix ms); must not wait."""
        ...


class UnobservedCalls:
    """Nobody is told."""

    def note(self, event: CallEvent, at: int) -> None:
        pass


class PromptCache(Protocol):
    """Prompts as files that the trunk can play."""

    async def file(self, prompt: Prompt) -> Path:
        """Return the A-law WAV of the prompt.

        Raises:
            PromptMissingError: if there is no such prompt.
            BrokerError: if it cannot be had now.

        """
        ...


class AudioSource(Protocol):
    """The part of the object store that prompts are fetched with."""

    async def get(self, ref: ObjectRef) -> bytes: ...
