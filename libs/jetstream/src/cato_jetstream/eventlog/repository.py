"""Aggregates in the event log: load, decide, save, with optimistic concurrency and idempotent commands."""

import asyncio
import re
import weakref
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic
from uuid import UUID

from eventsourcing.domain import CanMutateAggregate, datetime_now_with_tzinfo
from eventsourcing.persistence import Transcoding

from cato_jetstream.backoff import backoff_s
from cato_jetstream.errors import Conflict, Misuse, NotFound, Rejected
from cato_jetstream.eventlog.codec import A, Codec
from cato_jetstream.eventlog.commit import Commit, Message
from cato_jetstream.eventlog.log import Log

_COMMAND_ID = re.compile(r"[\x21-\x7e]{1,200}")


@dataclass(frozen=True, slots=True)
class Head:
    """The last commit of an aggregate, on which the next one builds."""

    sequence: int
    command_id: str
    recent_commands: tuple[str, ...]

    def knows(self, command_id: str) -> bool:
        """Whether this command was committed, now or recently."""
        return command_id == self.command_id or command_id in self.recent_commands


class Repository(Generic[A]):
    """The aggregates of one class.

    `subject` gives the subject of an aggregate's commits from its id; default `ev.<TOPIC of the class>.<id>`.
    `transcodings` are for the types that events and snapshots hold beyond the default ones.
    `remembered_commands` is how many command ids before the last one each commit carries: a retry of any of
    them is recognised, also when the server's window for duplicates is over.

    Raises:
        UnstableName: at construction, if the class or one of its events has no TOPIC.

    """

    def __init__(
        self,
        log: Log,
        aggregate_class: type[A],
        *,
        subject: Callable[[UUID], str] | None = None,
        transcodings: Sequence[Transcoding] = (),
        remembered_commands: int = 16,
        clock: Callable[[], datetime] = datetime_now_with_tzinfo,
    ) -> None:
        self._log = log
        self._codec = Codec(aggregate_class, transcodings)
        self._subject = subject or self._default_subject
        self._remembered = remembered_commands
        self._clock = clock
        self._initial_version = aggregate_class.INITIAL_VERSION
        self._heads = _Heads[A]()

    def _default_subject(self, aggregate_id: UUID) -> str:
        return f"ev.{self._codec.type_name}.{aggregate_id}"

    def subject(self, aggregate_id: UUID) -> str:
        """The subject of the commits of this aggregate."""
        return self._subject(aggregate_id)

    async def load(self, aggregate_id: UUID) -> A:
        """The aggregate as of its last commit.

        Raises:
            NotFound, Unavailable, Corrupt

        """
        return await self._load(aggregate_id, fresh=False)

    def head(self, aggregate: A) -> Head:
        """The commit that this object is based on.

        Raises:
            Misuse: the object was neither loaded from nor saved to this repository.

        """
        known = self._heads.get(aggregate)
        if known is None:
            raise Misuse(f"{aggregate.id} was neither loaded from nor saved to this repository")
        return known.head

    async def save(self, aggregate: A, *, command_id: str, messages: Sequence[Message] = ()) -> A:
        """Commit the pending events, and `messages` for others in the same write. Continue with the result.

        If `command_id` was committed before (a retry), nothing is written and the aggregate comes back as it
        is stored: another object, as the earlier attempt may have decided otherwise. One command is one
        commit per aggregate. Without events and messages nothing is written.

        Raises:
            Conflict: another command was committed first.
            Unavailable: it is not known whether it was written; save again with the same command id.
            Rejected, Corrupt, Misuse

        """
        if not _COMMAND_ID.fullmatch(command_id):
            raise Rejected(f"a command id is 1 to 200 visible ASCII characters, not {command_id!r}")
        events = tuple(aggregate.pending_events)
        known = self._heads.get(aggregate)
        self._check_based_on_head(aggregate, events, known)
        if known is not None and known.head.knows(command_id):
            if not events:
                return aggregate
            if known.written_through:
                raise Misuse(
                    f"command {command_id} has been committed on {aggregate.id}: one command, one commit"
                )
            return await self._load(aggregate.id, fresh=True)
        if not events and not messages:
            return aggregate

        recent = (known.head.command_id, *known.head.recent_commands)[: self._remembered] if known else ()
        data = self._codec.encode(
            aggregate,
            events,
            command_id=command_id,
            recent_commands=recent,
            saved_at=self._clock(),
            messages=messages,
        )
        subject = self.subject(aggregate.id)
        expected = known.head.sequence if known else 0
        try:
            appended = await self._log.append(
                subject, data, expected=expected, message_id=f"{subject}:{command_id}"
            )
        except Conflict:
            commit = await self._last(aggregate.id, fresh=True)
            if commit is None or not commit.knows(command_id):
                raise
            return self._restore(commit)
        if appended.duplicate:
            # The head no longer lists this old command, but the server's duplicate window still has it.
            return await self._load(aggregate.id, fresh=True)
        # Remove only the written events: the aggregate may have new ones since the request was sent.
        del aggregate.pending_events[: len(events)]
        self._heads.put(aggregate, _Known(Head(appended.sequence, command_id, recent), written_through=True))
        return aggregate

    async def create(self, aggregate: A, *, command_id: str, messages: Sequence[Message] = ()) -> A:
        """Save a new aggregate with a given id; if this very command has created it before, return that.

        Raises:
            Conflict: another command has created an aggregate with this id.
            Unavailable, Rejected, Corrupt, Misuse

        """
        if self._heads.get(aggregate) is not None:
            raise Misuse(f"{aggregate.id} is not new")
        try:
            return await self.save(aggregate, command_id=command_id, messages=messages)
        except Conflict:
            first = await self._log.next(self.subject(aggregate.id), 0)
            if first is None or Commit.from_record(first).command_id != command_id:
                raise
            return await self._load(aggregate.id, fresh=True)

    async def execute(
        self,
        aggregate_id: UUID,
        command_id: str,
        decide: Callable[[A], Sequence[Message] | None],
        *,
        retries: int = 5,
    ) -> A:
        """Load, let `decide` change the aggregate, save; start again on a conflict.

        `decide` calls the aggregate's methods and returns the messages for others, if any; it may run several
        times and must have no effects elsewhere. If the command was committed before, it does not run.

        Raises:
            NotFound, Unavailable, Rejected, Corrupt
            Conflict: still, after all retries.
            any exception of `decide`

        """
        attempt = 0
        while True:
            aggregate = await self._load(aggregate_id, fresh=attempt > 0)
            if self.head(aggregate).knows(command_id):
                return aggregate
            messages = decide(aggregate)
            try:
                return await self.save(aggregate, command_id=command_id, messages=messages or ())
            except Conflict:
                if attempt == retries:
                    raise
            await asyncio.sleep(backoff_s(attempt))
            attempt += 1

    async def history(self, aggregate_id: UUID) -> AsyncIterator[Commit]:
        """All commits of an aggregate, oldest first; none if there is no such aggregate."""
        subject = self.subject(aggregate_id)
        sequence = 0
        while (record := await self._log.next(subject, sequence)) is not None:
            sequence = record.sequence
            yield Commit.from_record(record)

    async def forget(self, aggregate_id: UUID, *, before: datetime, which: Callable[[Commit], bool]) -> int:
        """Delete the commits before a time that `which` accepts, and return how many; they are gone for good.

        The last commit, which has the state, is never deleted, nor the first, by which `create` recognises
        its own command.
        """
        subject = self.subject(aggregate_id)
        last = await self._log.last(subject, fresh=True)
        first = await self._log.next(subject, 0)
        forgotten = 0
        record = first
        while last is not None and record is not None and record.sequence < last.sequence:
            commit = Commit.from_record(record)
            if commit.saved_at >= before:
                break
            if record is not first and which(commit):
                await self._log.delete(record.sequence)
                forgotten += 1
            record = await self._log.next(subject, record.sequence)
        return forgotten

    def events(self, commit: Commit) -> tuple[CanMutateAggregate[UUID], ...]:
        """The domain events of a commit, upcast. Raises Corrupt."""
        return self._codec.events(commit)

    def restore(self, commit: Commit) -> A:
        """The aggregate as it was after a commit, for reading: it cannot be saved. Raises Corrupt."""
        return self._codec.restore(commit)

    async def _load(self, aggregate_id: UUID, *, fresh: bool) -> A:
        commit = await self._last(aggregate_id, fresh=fresh)
        if commit is None and not fresh:
            # A replica that lags behind may not have it yet: only the leader knows that there is none.
            commit = await self._last(aggregate_id, fresh=True)
        if commit is None:
            raise NotFound(f"no {self._codec.type_name} {aggregate_id}")
        return self._restore(commit)

    async def _last(self, aggregate_id: UUID, *, fresh: bool) -> Commit | None:
        record = await self._log.last(self.subject(aggregate_id), fresh=fresh)
        return None if record is None else Commit.from_record(record)

    def _restore(self, commit: Commit) -> A:
        aggregate = self._codec.restore(commit)
        head = Head(commit.sequence, commit.command_id, commit.recent_commands)
        self._heads.put(aggregate, _Known(head, written_through=False))
        return aggregate

    def _check_based_on_head(
        self, aggregate: A, events: Sequence[CanMutateAggregate[UUID]], known: "_Known | None"
    ) -> None:
        if known is None and (not events or events[0].originator_version != self._initial_version):
            raise Misuse(f"{aggregate.id} is neither new nor loaded through this repository")


@dataclass(frozen=True, slots=True)
class _Known:
    head: Head
    written_through: bool
    """The head was written by a save of this very object, not read."""


class _Heads(Generic[A]):
    """The commit that each aggregate object is based on.

    Stored outside the objects, as all of their `__dict__` is state; by identity, as they are not hashable.
    """

    def __init__(self) -> None:
        self._known: dict[int, tuple[weakref.ref[A], _Known]] = {}

    def get(self, aggregate: A) -> _Known | None:
        entry = self._known.get(id(aggregate))
        return entry[1] if entry is not None and entry[0]() is aggregate else None

    def put(self, aggregate: A, known: _Known) -> None:
        key = id(aggregate)

        def forget(reference: weakref.ref[A]) -> None:
            # The id may belong to a new object by now.
            if key in self._known and self._known[key][0] is reference:
                del self._known[key]

        self._known[key] = (weakref.ref(aggregate, forget), known)
