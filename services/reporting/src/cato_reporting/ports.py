"""What projections and queries need from outside."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from cato_contracts.history import CallFilter, CallRecord, CallStatistics, ExportFormat, Grouping
from cato_contracts.runs import RunSnapshot, RunSubscriber
from cato_contracts.status import SubscriberFilter
from cato_reporting.domain.live_run import End, LiveRun
from cato_reporting.domain.parsed_message import ParsedMessage
from cato_reporting.domain.report import Numbers


@dataclass(frozen=True, slots=True)
class LogMessage:
    """A message of the log; `position` is its sequence in the stream."""

    subject: str
    position: int
    data: bytes


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message of the log that was parsed."""

    position: int
    parsed: ParsedMessage


class RunLog(Protocol):
    """The stream of everything that happens in runs. Methods raise BrokerError when it does not answer."""

    async def end(self) -> int:
        """Return the position of the last message."""
        ...

    async def latest_lives(self) -> list[LogMessage]:
        """Return the last life commit of every run."""
        ...

    def history(self, subject: str) -> AsyncIterator[list[LogMessage]]:
        """Yield the messages of a subject (wildcards allowed) that are there now, in batches."""
        ...

    def follow(self, *, after: int) -> AsyncIterator[list[LogMessage]]:
        """Yield all messages after a position as they come, in order, without a gap, for ever."""
        ...

    async def reserve(self, *, after: int) -> "Intake":
        """Position the durable consumer of the read model after a position and open it."""
        ...


class Intake(Protocol):
    """The durable reading of the log that the read model is filled from."""

    async def take(self, limit: int, *, window: float) -> list[LogMessage]:
        """Return the next messages, those within `window` seconds of the first, fewer after `flush`.

        Raises:
            BrokerError: if messages may have been missed.

        """
        ...

    def flush(self) -> None:
        """Let the `take` under way, or the next one, return soon."""
        ...

    async def confirm(self, position: int) -> None:
        """Tell the broker that everything up to the position is in the read model."""
        ...

    async def close(self) -> None: ...


class DeadLetters(Protocol):
    """Where messages go that cannot be used."""

    async def publish(self, message: LogMessage, reason: str) -> bool:
        """Keep a message with its reason; False if it lay there already. Raises BrokerError."""
        ...


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run as the read model has it."""

    snapshot: RunSnapshot
    started_at: datetime
    end: End | None


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event of a call; `data` is JSON, `time` in Unix ms."""

    call_id: UUID
    time: int
    name: str
    status: str
    data: str


class WrittenSubscriber(NamedTuple):
    """A subscriber of the list: `contact` is the JSON object, `phones` the JSON array of their numbers."""

    no: int
    contact: bytes
    phones: bytes


class WrittenCalls(NamedTuple):
    """The calls to one number of a subscriber: `text` is their JSON objects, with commas between them."""

    no: int
    phone_index: int
    number: bytes
    text: bytes


@dataclass(frozen=True, slots=True)
class WrittenDetail:
    """Subscribers of a run in the order of the list, and their calls, as JSON in UTF-8."""

    subscribers: list[WrittenSubscriber]
    notified: set[int]
    calls: list[WrittenCalls]


class ReadModel(Protocol):
    """The tables that analysts and status documents read. Every method raises ReadModelAwayError."""

    async def open(self) -> int:
        """Connect, bring the tables to the current version, return the position they are filled up to."""
        ...

    async def store(self, messages: Sequence[StoredMessage], *, position: int) -> None:
        """Insert the messages, then note that the tables are filled up to the position.

        Raises:
            RowsRefusedError: if one of them can never be stored.

        """
        ...

    async def restore(self, run: LiveRun) -> None:
        """Add to the run what is stored of its calls and results."""
        ...

    async def runs(self, run_ids: Sequence[UUID]) -> dict[UUID, StoredRun]:
        """Return those of the runs that are stored."""
        ...

    async def latest_runs(
        self, *, user_id: str | None, task_id: UUID | None, before: tuple[int, str] | None, limit: int
    ) -> list[StoredRun]:
        """Return runs, newest first, of a user (None: all) and a task (None: all).

        `before`: only those after this position in the list: start in Unix ms, id.
        """
        ...

    async def numbers(self, run_ids: Sequence[UUID]) -> dict[UUID, Numbers]:
        """Count what is in the reports of the runs."""
        ...

    async def written_detail(
        self, run_id: UUID, *, which: SubscriberFilter, wave: int, after: int, limit: int, events: bool
    ) -> WrittenDetail:
        """Return subscribers with a number above `after`. `wave`: the current one, for FAILED."""
        ...

    async def listed(self, run_id: UUID) -> int:
        """Return how many subscribers of the run's list are stored."""
        ...

    async def store_list(self, run_id: UUID, subscribers: Sequence[RunSubscriber]) -> None:
        """Insert part of a run's list."""
        ...

    async def unlisted(self) -> list[RunSnapshot]:
        """Return the runs whose list is not completely stored."""
        ...

    async def release_memory(self) -> None:
        """Return memory that is not used to the operating system."""
        ...

    async def close(self) -> None: ...


CallCursor = tuple[int, UUID]
"""The position of a call in the history: start in Unix ms, id."""


@dataclass(frozen=True, slots=True)
class CallSelection:
    """Calls that meet the conditions, of runs that belong to a user (None: to anybody)."""

    where: CallFilter
    user_id: str | None = None


@dataclass(frozen=True, slots=True)
class FoundCalls:
    """Some calls, the latest start first; `rest` is the place after which others may follow."""

    calls: list[CallRecord]
    rest: CallCursor | None


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """A call with everything that happened to it, and whose it is."""

    user_id: str
    record: CallRecord
    events: list[StoredEvent]


@dataclass(frozen=True, slots=True)
class GroupedStatistics:
    """The groups in the order in which they are shown, and all of them together."""

    groups: list[CallStatistics]
    total: CallStatistics


class CallPages(Protocol):
    """Calls being written down in a file format."""

    async def read(self) -> bytes | None:
        """Return the next part of the file, of some MB at most, and None at its end.

        A part is empty if none of the calls that were looked through for it are meant.

        Raises:
            ReadModelAwayError: if there is no telling now; the next call tries the same part again.

        """
        ...


class CallHistory(Protocol):
    """The calls that began and whose run is known. Every method raises ReadModelAwayError."""

    async def calls(self, selection: CallSelection, *, before: CallCursor | None, limit: int) -> FoundCalls:
        """Return up to `limit` calls after a place; fewer, and a `rest`, if they are far between."""
        ...

    async def call(self, call_id: UUID) -> RecordedCall | None: ...

    async def statistics(
        self, selection: CallSelection, group_by: Grouping, *, time_zone: str, limit: int
    ) -> GroupedStatistics:
        """Return the figures of up to `limit` groups, and no telling which if there are more.

        Raises:
            UnknownTimeZoneError: if ClickHouse does not know the zone.

        """
        ...

    def export(self, selection: CallSelection, form: ExportFormat) -> CallPages:
        """Return the calls as a file, the earliest start first."""
        ...

    async def close(self) -> None: ...
