"""The archive of runs that have left the log, in the object store.

Each run has two objects. `events/<last position>-<run>` has all messages, as lines of JSON, compressed by
gzip; without it the run has been removed for good. `life/<run>` has the last commit of its life, for those
who ask for the run by its id. The object `state` says up to which position of the log runs are archived, so
that a start reads one small object, and which run is being removed from the log.
"""

import asyncio
import hashlib
import json
import zlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from cato_contracts.model import Frozen
from cato_contracts.objects import Bucket, ObjectRef
from cato_contracts.subjects import archived_life, run_life
from cato_reporting.ports import LogMessage
from cato_runtime.objects import ObjectMissingError, ObjectStore

_GZIP = 31
_BATCH = 5_000
_EVENTS = "events/"
_STATE = "state"
# A damaged message is archived as it is: its bytes need not be text.
_LOSSLESS = "surrogateescape"


class IncompleteArchiveError(Exception):
    """An archived run is not what was to be archived."""


class Removal(Frozen):
    """A run whose messages up to a position are being removed from the log."""

    run_id: UUID
    until: int


class ArchiveState(Frozen):
    """`highest`: the greatest last position of the archived runs. `removal`: begun, and perhaps not ended."""

    highest: int = 0
    removal: Removal | None = None


@dataclass(frozen=True, slots=True)
class ArchivedRun:
    """The messages of a run; `last` is the position of the last of them."""

    run_id: UUID
    last: int

    @property
    def name(self) -> str:
        return f"{_EVENTS}{self.last}-{self.run_id}"

    @classmethod
    def named(cls, name: str) -> "ArchivedRun":
        last, _, run_id = name.removeprefix(_EVENTS).partition("-")
        return cls(UUID(run_id), int(last))


class RunArchive:
    """Writes and reads archived runs. All methods raise BrokerError.

    `lock` is held while a run is moved from the log to the archive, and while both are read.
    """

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects
        self.lock = asyncio.Lock()

    async def state(self) -> ArchiveState:
        try:
            return ArchiveState.model_validate_json(await self._objects.get(_ref(_STATE)))
        except ObjectMissingError:
            return ArchiveState()

    async def write_state(self, state: ArchiveState) -> None:
        await self._objects.put(Bucket.ARCHIVE, _STATE, state.model_dump_json().encode())

    async def write(self, run: ArchivedRun, batches: AsyncIterator[list[LogMessage]]) -> None:
        """Store the messages of a run, and read them back.

        Raises:
            IncompleteArchiveError: if what is stored is not what was written.

        """
        written = hashlib.sha256()

        async def packed() -> AsyncIterator[bytes]:
            packer = zlib.compressobj(wbits=_GZIP)
            async for batch in batches:
                text = _lines(batch)
                written.update(text)
                yield await asyncio.to_thread(packer.compress, text)
            yield packer.flush()

        ref = await self._objects.put(Bucket.ARCHIVE, run.name, packed())
        stored = hashlib.sha256()
        async for text in self._text(ref):
            stored.update(text)
        if stored.digest() != written.digest():
            raise IncompleteArchiveError(f"{run.name} was stored, and other messages were read back")

    async def write_life(self, run_id: UUID, commit: bytes) -> None:
        """Store the last commit of the life of a run."""
        await self._objects.put(Bucket.ARCHIVE, archived_life(run_id), commit)

    async def holds(self, run_id: UUID) -> bool:
        """Return whether there was such a run, which has left the log."""
        try:
            await self._objects.get(_ref(archived_life(run_id)))
        except ObjectMissingError:
            return False
        return True

    async def runs(self, *, after: int) -> list[ArchivedRun]:
        """Return the runs with messages after a position, in the order of the log."""
        names = await self._objects.names(Bucket.ARCHIVE)
        runs = [ArchivedRun.named(name) for name in names if name.startswith(_EVENTS)]
        return sorted((run for run in runs if run.last > after), key=lambda run: run.last)

    async def read(self, run: ArchivedRun) -> AsyncIterator[list[LogMessage]]:
        """Yield the messages of an archived run in batches, in the order of the log."""
        rest = b""
        batch: list[LogMessage] = []
        async for text in self._text(_ref(run.name)):
            *lines, rest = (rest + text).split(b"\n")
            batch += [_message(line) for line in lines]
            if len(batch) >= _BATCH:
                yield batch
                batch = []
        if batch:
            yield batch

    async def _text(self, ref: ObjectRef) -> AsyncIterator[bytes]:
        unpacker = zlib.decompressobj(wbits=_GZIP)
        async for piece in self._objects.stream(ref):
            yield await asyncio.to_thread(unpacker.decompress, piece)
        if not unpacker.eof:
            raise IncompleteArchiveError(f"{ref.name} is not complete")


def last_commit(run_id: UUID, messages: Sequence[LogMessage], before: bytes) -> bytes:
    """Return the last commit of the run's life among these messages, `before` if there is none."""
    life = run_life(run_id)
    return next((message.data for message in reversed(messages) if message.subject == life), before)


def _lines(batch: Sequence[LogMessage]) -> bytes:
    return b"".join(
        json.dumps([each.position, each.subject, each.data.decode(errors=_LOSSLESS)]).encode() + b"\n"
        for each in batch
    )


def _message(line: bytes) -> LogMessage:
    position, subject, text = json.loads(line)
    return LogMessage(subject, position, text.encode(errors=_LOSSLESS))


def _ref(name: str) -> ObjectRef:
    return ObjectRef(bucket=Bucket.ARCHIVE, name=name, size=0)
