"""The ports of projections and queries."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from cato_contracts.api.exports import ExportDialect, ExportFormat
from cato_contracts.api.history import CallFilter, CallRecord, CallStatistics, FoundSubscriber, Grouping
from cato_contracts.api.rules.invalid_numbers import InvalidNumber
from cato_contracts.api.sql import SqlFormat
from cato_contracts.api.status import SubscriberFilter
from cato_contracts.messages.runs import RunSnapshot, RunSubscriber
from cato_reporting.domain.approval import ApprovalDecision
from cato_reporting.domain.live_run import End, LiveRun
from cato_reporting.domain.parsed_message import ParsedMessage
from cato_reporting.domain.report import Numbers
from cato_reporting.domain.statement import Statement
from cato_reporting.domain.written_detail import (
    NumberPosition,
    WrittenDetail,
)


@dataclass(frozen=True, slots=True)
class LogMessage:
    """A message of the log; `position` is its sequence in the stream, `traceparent` its header."""

    subject: str
    position: int
    data: bytes
    traceparent: str | None = None


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
        """Yield all messages after a position in order, without a gap and without an end."""
        ...

    async def remove(self, run_id: UUID, *, until: int) -> None:
        """Remove the messages of an ended run up to a position, and its dispatch state."""
        ...

    async def reserve(self, *, after: int) -> "Intake":
        """Create the durable consumer of the read model after a position and open it."""
        ...


class Intake(Protocol):
    """The durable consumer that the read model is filled from."""

    async def take(self, limit: int, *, window: float) -> list[LogMessage]:
        """Return the next messages, those within `window` seconds of the first, fewer after `flush`.

        Raises:
            BrokerError: if messages may have been missed.

        """
        ...

    def flush(self) -> None:
        """Make the current `take`, or the next one, return without waiting for its window."""
        ...

    async def confirm(self, position: int) -> None:
        """Acknowledge all messages up to the position."""
        ...

    async def close(self) -> None: ...


class DeadLetters(Protocol):
    """Takes messages that cannot be used."""

    async def publish(self, message: LogMessage, reason: str) -> bool:
        """Publish a message with its reason; return False if that was done before. Raises BrokerError."""
        ...


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run in the read model."""

    snapshot: RunSnapshot
    started_at: datetime
    end: End | None
    decision: ApprovalDecision | None = None


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event of a call; `data` is JSON, `time` in Unix ms."""

    call_id: UUID
    time: int
    name: str
    status: str
    data: str


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
        """Add the stored calls and results to the run."""
        ...

    async def runs(self, run_ids: Sequence[UUID]) -> dict[UUID, StoredRun]:
        """Return those of the runs that are stored."""
        ...

    async def latest_runs(
        self,
        *,
        user_id: str | None,
        task_id: UUID | None,
        ended_since: datetime | None,
        before: tuple[int, str] | None,
        limit: int,
    ) -> list[StoredRun]:
        """Return runs, newest first, of a user (None: all) and a task (None: all).

        `ended_since`: only those that ended at or after this time. `before`: only those after this position
        in the list: start in Unix ms, id.
        """
        ...

    async def numbers(self, run_ids: Sequence[UUID]) -> dict[UUID, Numbers]:
        """Count the numbers of the reports of the runs."""
        ...

    async def written_detail(
        self, run_id: UUID, *, which: SubscriberFilter, wave: int, after: int, limit: int, events: bool
    ) -> WrittenDetail:
        """Return subscribers with a number above `after`. `wave`: the current one, for FAILED."""
        ...

    async def next_attempts(self, run_id: UUID, nos: Sequence[int]) -> dict[int, int]:
        """Return when retry rules call some of these again (Unix ms); `nos` are in order, and not empty."""
        ...

    async def invalid_numbers(
        self, run_id: UUID, *, after: NumberPosition | None, limit: int
    ) -> list[tuple[NumberPosition, InvalidNumber]]:
        """Return up to `limit` numbers after a position whose last call says that they do not exist."""
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


class AnalystDatabase(Protocol):
    """The views for analysts, read-only."""

    async def run(self, statement: Statement, values: Mapping[str, str], form: SqlFormat) -> bytes:
        """Return the result of a statement as a file; `values` are those of its placeholders.

        Raises:
            StatementError: if the statement reads anything but the views, is wrong, or exceeds a limit.
            ReadModelAwayError: if the database cannot be reached.

        """
        ...

    async def close(self) -> None: ...


CallPosition = tuple[int, UUID]
"""The position of a call in the history: start in Unix ms, id."""


@dataclass(frozen=True, slots=True)
class CallSelection:
    """Calls that meet the conditions, of runs that belong to a user (None: to any user).

    `numbers` are the forms of the number of `where`, empty without one. `listed`: the lists of all runs are
    stored, so that names can be looked up in them.
    """

    where: CallFilter
    user_id: str | None = None
    numbers: tuple[str, ...] = ()
    listed: bool = False


@dataclass(frozen=True, slots=True)
class FoundCalls:
    """Some calls, the latest start first; `rest` is the position after which more may follow."""

    calls: list[CallRecord]
    rest: CallPosition | None


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """A call with its events and its owner."""

    user_id: str
    record: CallRecord
    events: list[StoredEvent]


@dataclass(frozen=True, slots=True)
class GroupedStatistics:
    """The statistics of each group, in the order in which they are shown, and of all calls."""

    groups: list[CallStatistics]
    total: CallStatistics


@dataclass(frozen=True, slots=True)
class Layout:
    """How an export is written; `time_zone` is the zone of local times."""

    format: ExportFormat
    dialect: ExportDialect = ExportDialect.STANDARD
    time_zone: str = "UTC"

    @property
    def excel(self) -> bool:
        return self.format is ExportFormat.CSV and self.dialect is ExportDialect.EXCEL


class ExportPages(Protocol):
    """Calls or subscribers that are written in a file format, part by part."""

    async def read(self) -> bytes | None:
        """Return the next part of the file, of some MB at most, and None at its end.

        A part is empty if none of the rows that were read for it match, or if the format is written last.

        Raises:
            ReadModelAwayError: if it cannot be read now; the next call reads the same part.
            UnknownTimeZoneError: if ClickHouse does not know the zone of local times.

        """
        ...

    async def close(self) -> None:
        """Release what the file holds, read to its end or not."""
        ...


class CallHistory(Protocol):
    """The started calls of known runs. Every method raises ReadModelAwayError."""

    async def calls(self, selection: CallSelection, *, before: CallPosition | None, limit: int) -> FoundCalls:
        """Return up to `limit` calls after a position; fewer, and a `rest`, if matching calls are rare."""
        ...

    async def subscribers(self, selection: CallSelection, *, limit: int) -> list[FoundSubscriber]:
        """Return subscribers with the number or name of the selection, called or not, latest runs first.

        Of the conditions, only number, name, run and owner matter, and the period: a run must overlap it.
        """
        ...

    async def call(self, call_id: UUID) -> RecordedCall | None: ...

    async def statistics(
        self, selection: CallSelection, group_by: Grouping, *, time_zone: str, limit: int
    ) -> GroupedStatistics:
        """Return the statistics of up to `limit` groups; which ones is undefined if there are more.

        Raises:
            UnknownTimeZoneError: if ClickHouse does not know the zone.

        """
        ...

    def export_calls(self, selection: CallSelection, layout: Layout) -> ExportPages:
        """Return the calls as a file, the earliest start first."""
        ...

    def export_subscribers(
        self, run_id: UUID, which: SubscriberFilter, wave: int, layout: Layout
    ) -> ExportPages:
        """Return a run's subscribers as a file. `wave`: the current one, for FAILED."""
        ...

    async def close(self) -> None: ...
