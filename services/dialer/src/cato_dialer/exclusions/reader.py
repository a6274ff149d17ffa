"""Fold the log of the exclusion lists into the book, from its beginning."""

import asyncio
from collections.abc import Callable, Sequence

import structlog

from cato_contracts.errors import BrokerError
from cato_contracts.objects import ObjectRef
from cato_dialer.exclusions.book import ExclusionBook
from cato_dialer.exclusions.changes import Change, ListAdded, ListRemoved, NumberDropped, NumberPut
from cato_dialer.exclusions.number_set import NumberSet
from cato_jetstream import Corrupt, Follower, Log, Record, Unavailable
from cato_runtime.objects import ObjectMissingError, ObjectStore
from cato_runtime.process.tasks import end_tasks

log = structlog.get_logger()

SUBJECTS = ("ev.exclusion-list.*",)
_RETRY_S = 1.0
_CATCH_UP_S = 5.0

Decode = Callable[[Record], Sequence[Change]]
"""Returns the changes of a commit. Raises Corrupt."""


class ExclusionReader:
    """Keeps `book` up to date. Both roles of a process share one reader: the first `start` counts."""

    def __init__(self, events: Log, objects: ObjectStore, decode: Decode, book: ExclusionBook) -> None:
        self.book = book
        self._events = events
        self._objects = objects
        self._decode = decode
        self._listeners: list[Callable[[], None]] = []
        self._following: asyncio.Task[None] | None = None
        self._users = 0
        self._reset()

    def _reset(self) -> None:
        self.book.clear()
        self.position = 0
        """The commit up to which the book is up to date."""
        self.life = object()
        """Another one after the log had to be read again from its beginning."""
        self._follower: Follower[tuple[int, str, Sequence[Change]]] = Follower(
            self._events, SUBJECTS, self._read, on_corrupt=_skip
        )

    async def start(self) -> None:
        """Begin to follow the log. Return when the commits that are in it now are folded.

        Raises:
            BrokerError: if the log cannot be read.

        """
        self._users += 1
        if self._following is None:
            self._following = asyncio.create_task(self._follow())
        await self._follower.until_current()

    async def stop(self) -> None:
        self._users -= 1
        if self._users == 0:
            await end_tasks(self._following)
            self._following = None

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call `listener` after each change of the book."""
        self._listeners.append(listener)

    async def catch_up(self) -> None:
        """Wait until the book has every commit that was in the log when this was called.

        Raises:
            BrokerError: if this takes too long.

        """
        await self._follower.wait_for(await self._events.end(SUBJECTS), _CATCH_UP_S)

    async def _follow(self) -> None:
        while True:
            try:
                await self._follower.run(self._fold)
            except Corrupt:
                log.exception("event log is shorter than its last read sequence, reading it from the start")
            except Unavailable:
                log.exception("connection to the event log is closed, exclusion lists are not followed")
                return
            await asyncio.sleep(_RETRY_S)
            self._reset()

    def _read(self, record: Record) -> tuple[int, str, Sequence[Change]]:
        return record.sequence, record.subject, self._decode(record)

    async def _fold(self, commit: tuple[int, str, Sequence[Change]]) -> None:
        sequence, subject, changes = commit
        for change in changes:
            await self._apply(change, subject)
        self.position = sequence
        for listener in self._listeners:
            listener()

    async def _apply(self, change: Change, subject: str) -> None:
        match change:
            case ListAdded(list_id=list_id, numbers=numbers):
                content = await self._content(numbers, subject)
                if content is None:
                    log.info("numbers of a removed exclusion list are not read", list_id=str(list_id))
                    return
                self.book.add(change, NumberSet.from_bytes(content))
            case NumberPut(list_id, entry):
                self.book.put(list_id, entry)
            case NumberDropped(list_id, number):
                self.book.drop(list_id, number)
            case ListRemoved(list_id):
                self.book.remove(list_id)

    async def _content(self, numbers: ObjectRef, subject: str) -> bytes | None:
        """Return the numbers of a list, None if the list was removed since.

        No call starts before they are read: whom the list excludes is not known.
        """
        while True:
            try:
                return await self._objects.get(numbers)
            except ObjectMissingError:
                if await self._removed(subject):
                    return None
                log.error(  # noqa: TRY400 - the message is enough
                    "numbers of an exclusion list are missing, no call is started", subject=subject
                )
            except BrokerError as error:
                log.warning("numbers of an exclusion list cannot be read", error=str(error))
            await asyncio.sleep(_RETRY_S)

    async def _removed(self, subject: str) -> bool:
        try:
            last = await self._events.last(subject, fresh=True)
        except BrokerError:
            return False
        return last is not None and any(isinstance(each, ListRemoved) for each in self._decode(last))


def _skip(record: Record, error: Corrupt) -> None:
    log.error(
        "unreadable commit skipped", subject=record.subject, sequence=record.sequence, reason=str(error)
    )
