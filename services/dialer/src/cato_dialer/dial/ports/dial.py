"""The ports of the dial role, except for the trunk."""

from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from cato_contracts.envelope import Envelope
from cato_contracts.errors import CatoError
from cato_contracts.messages.calls import CallEvent, CallOwner
from cato_contracts.messages.jobs import DialJob, RunDispatchState
from cato_contracts.messages.runs import Prompt, SubscriberResult
from cato_contracts.objects import ObjectRef
from cato_dialer.dial.domain.capacity.licence import Licence
from cato_dialer.dial.domain.permission.pacing import CallBound
from cato_dialer.dial.domain.subscriber.takeover import OwnerAnswer

JournalEntry = Envelope[CallEvent] | Envelope[SubscriberResult]


class FencedError(CatoError):
    """Another replica has written for this subscriber since, so it works on the subscriber now."""


class PromptMissingError(CatoError):
    """The object store does not have the prompt, and retrying does not help."""


@dataclass(frozen=True, slots=True)
class SubscriberLog:
    """The log of a subscriber of a run. `head` is the sequence of its last message, 0 if there is none."""

    events: tuple[CallEvent, ...] = ()
    result: SubscriberResult | None = None
    head: int = 0


class CallJournal(Protocol):
    """The log of calls and results. Each write names the head that it expects and returns the new one.

    Calls and results of a subscriber have one head: of a result and the start of a call by two replicas, one
    is rejected. A write repeated after a lost acknowledgement succeeds. Writes raise `FencedError` if another
    replica has written the head, and `BrokerError` without an acknowledgement: the message may be stored; the
    write can be repeated.
    """

    async def read(self, run_id: UUID, no: int) -> SubscriberLog: ...

    async def append(self, entry: JournalEntry, after: int) -> int: ...

    async def fence(self, run_id: UUID, no: int, after: int) -> int:
        """Reject whatever another replica may have on its way for the subscriber."""
        ...


class Incarnations(Protocol):
    """The processes of the dial role by name; each start of a process is a new incarnation of its name."""

    @property
    def own(self) -> CallOwner:
        """The name and the incarnation of this process."""
        ...

    async def newest(self, instance: str) -> int:
        """Return the newest incarnation of a name, 0 if it is not known.

        Raises:
            BrokerError: if the broker does not answer.

        """
        ...


class JobDelivery(Protocol):
    """A job in hand. `extend` keeps it until `done` or `give_back` is called; none of them raises."""

    @property
    def key(self) -> str:
        """The job's identity, the same for every delivery."""
        ...

    @property
    def job(self) -> DialJob: ...

    @property
    def redelivered(self) -> bool:
        """Whether the job was delivered before: another replica may have worked on it."""
        ...

    @property
    def traceparent(self) -> str | None:
        """The context of what has queued the job (W3C Trace Context), if traces were on."""
        ...

    async def done(self) -> None:
        """Remove the job from the queue."""
        ...

    async def give_back(self, delay_s: float) -> None:
        """Return the job to the queue; it is delivered again after `delay_s`."""
        ...

    async def extend(self) -> None:
        """Tell the queue that the job is being worked on, so that it is not delivered again yet."""
        ...

    def leave(self) -> None:
        """Let the job go without an acknowledgement: another replica has it."""
        ...


class JobSource(Protocol):
    """The queue of jobs, and the active runs."""

    async def open(self, on_change: Callable[[], None], has_call: Callable[[str], bool]) -> None:
        """Follow the runs and answer the questions of other replicas.

        `on_change` is called whenever a state has changed or there may be jobs to take. `has_call` tells
        whether this replica has a call up for the job of that key, or one that is not completely in the log.
        """
        ...

    async def ask_owner(self, key: str, owner: CallOwner | None) -> OwnerAnswer:
        """Ask the replicas for the open call that `owner` began for the job of this key.

        A replica whose heartbeats were lost may be alive, with the subscriber on the line.

        Raises:
            BrokerError: if the replicas cannot be asked.

        """
        ...

    def run_states(self) -> Mapping[UUID, RunDispatchState]:
        """Return the runs as last read from the broker."""
        ...

    async def take(self, run_id: UUID, limit: int) -> Sequence[JobDelivery]:
        """Take the jobs that are queued now, up to `limit` (1 or more); none while the broker is away.

        With fewer than `limit`, `on_change` is called when there may be more.
        """
        ...

    async def return_unused(self) -> None:
        """Give back jobs that have arrived since the last `take`: this replica has no capacity for them."""
        ...

    async def close(self) -> None: ...


class Channel(Protocol):
    """The right to one call through one station."""

    @property
    def station_id(self) -> UUID: ...

    async def keep_until(self, moment: datetime) -> bool:
        """Keep the channel from other replicas until then, even if this one is cut off; False if it is lost.

        Raises:
            BrokerError: if the broker does not answer.

        """
        ...

    def release(self) -> None:
        """Give the channel back. A second call does nothing."""
        ...


@dataclass(frozen=True, slots=True)
class StartSlot:
    """The time in which a call may be started: from `at` to `until` (None: no limit)."""

    at: datetime
    until: datetime | None
    delayed: bool


class ChannelSource(Protocol):
    """One replica's channels of the stations, which all replicas share.

    An `ordinary` call leaves the reserved channels free; any other call may use all channels. A `bound` is
    that of a pacing rule: over all replicas, at most so many calls that name it are up.
    """

    @property
    def licence(self) -> Licence: ...

    async def open(self) -> None: ...

    def acquire(
        self, station_id: UUID, *, ordinary: bool = False, bound: CallBound | None = None
    ) -> Channel | None:
        """Return a channel that is free at this replica; else `freed` tells when to ask again."""
        ...

    def capacity(self, *, ordinary: bool = False) -> int:
        """Return how many calls at once this replica can expect to carry, calls that are up included.

        `ordinary`: how many of them may be ordinary ones.
        """
        ...

    def has_room(self, bound: CallBound) -> bool:
        """Tell whether a subscriber may wait for a channel of this bound: fewer wait than it can take.

        Any further one would keep others from being called, whom the bound does not concern.
        """
        ...

    def freed(
        self, station_ids: Sequence[UUID], *, ordinary: bool = False, bounds: Iterable[CallBound] = ()
    ) -> Coroutine[Any, Any, None]:
        """Request channels of these stations; the coroutine returns once one of them may be free.

        Channels freed after this call count, even if the coroutine is awaited later.
        """
        ...

    async def reserve_start(self, station_id: UUID, not_before: datetime | None = None) -> StartSlot:
        """Reserve the station's next time to start a call from `not_before` on, by its minimum interval.

        Raises:
            BrokerError: if no slot can be reserved in time.

        """
        ...

    async def close(self) -> None: ...


class CallObserver(Protocol):
    """Receives every event and every result that this replica records."""

    def note(self, event: CallEvent, at: int) -> None:
        """Receive an event that happened at `at` (Unix ms); must not block."""
        ...

    def note_result(self, result: SubscriberResult) -> None:
        """Receive the result of a subscriber in a wave; must not block."""
        ...

    def note_audio(self, station_id: UUID, sent: int, lost: int | None) -> None:
        """Receive the RTP packets of a call: those sent, and of them lost, None without an RTCP report."""
        ...


class PromptCache(Protocol):
    """Prompts as files that the trunk can play."""

    async def file(self, prompt: Prompt) -> Path:
        """Return the A-law WAV of the prompt.

        Raises:
            PromptMissingError: if there is no such prompt.
            BrokerError: if the object store does not answer.

        """
        ...


class AudioSource(Protocol):
    """The part of the object store that prompts are fetched with."""

    async def get(self, ref: ObjectRef) -> bytes: ...
