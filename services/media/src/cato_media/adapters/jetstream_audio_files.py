"""The files in the event log, with the lists folded in memory."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from uuid import UUID

import structlog

from cato_contracts.api.resources import AudioFile as AudioFileResource
from cato_contracts.api.resources import Page
from cato_contracts.errors import BrokerError, NotFoundError
from cato_contracts.requests import Actor
from cato_jetstream import (
    Commit,
    Conflict,
    Corrupt,
    DataclassAsDict,
    EventLogError,
    Follower,
    Log,
    Record,
    Repository,
    Unavailable,
)
from cato_media.domain.audio_file import AudioFile, Prompt
from cato_media.domain.catalog import Catalog
from cato_media.ports import OvertakenError
from cato_runtime.process.tasks import end_tasks

log = structlog.get_logger()

_SUBJECTS = ("ev.audio-file.*",)
_CATCH_UP_S = 5.0
_START_S = 60.0
_RESTART_S = 1.0


class JetStreamAudioFiles:
    """Stores files as aggregates. Every read first waits until the lists have reached the end of the log.

    So every replica shows all writes that any replica has acknowledged.
    """

    def __init__(self, event_log: Log) -> None:
        self._log = event_log
        self._repository = Repository(
            event_log, AudioFile, transcodings=(DataclassAsDict(Prompt, "audio-file-prompt"),)
        )
        self._reset()

    def _reset(self) -> None:
        self._catalog = Catalog()
        self._follower = Follower(self._log, _SUBJECTS, Commit.from_record, on_corrupt=_log_corrupt)

    @asynccontextmanager
    async def followed(self) -> AsyncIterator[None]:
        """Keep the lists up to date while the context lasts; it is entered when they are complete.

        Raises:
            BrokerError: if the log cannot be read.

        """
        following = asyncio.create_task(self._follow())
        try:
            with _translated():
                await self._follower.until_current(_START_S)
            yield
        finally:
            await end_tasks(following)

    async def _follow(self) -> None:
        while True:
            try:
                await self._follower.run(self._fold)
            except Corrupt:
                # The log no longer holds what was folded: a server has lost its tail.
                log.exception("lists are invalid, reading the log from its start")
            except Unavailable:
                log.exception("log is closed, lists are no longer updated")
                return
            self._reset()
            await asyncio.sleep(_RESTART_S)

    def _fold(self, commit: Commit) -> None:
        try:
            file = self._repository.restore(commit)
        except Corrupt:
            log.exception("commit skipped: it cannot be read", sequence=commit.sequence)
            return
        self._catalog.fold(file, sequence=commit.sequence, command_id=commit.command_id)

    async def _current(self) -> Catalog:
        with _translated():
            end = await self._log.end(_SUBJECTS)
            await self._follower.wait_for(end, _CATCH_UP_S)
        return self._catalog

    async def get(self, file_id: UUID) -> AudioFile | None:
        return (await self._current()).get(file_id)

    async def added_by(self, command_id: str) -> AudioFile | None:
        return (await self._current()).added_by(command_id)

    async def latest(self, owner: str, name: str) -> AudioFile | None:
        return (await self._current()).latest(owner, name)

    async def page(
        self, actor: Actor, *, name: str | None, limit: int, cursor: str | None
    ) -> Page[AudioFileResource]:
        return (await self._current()).page(actor, name=name, limit=limit, cursor=cursor)

    async def add(self, file: AudioFile, *, command_id: str) -> AudioFile:
        try:
            with _translated():
                return await self._repository.create(file, command_id=command_id)
        except Conflict as error:
            raise OvertakenError(f"there is a file {file.id} already") from error

    async def remove(self, file_id: UUID, *, command_id: str, now: datetime) -> AudioFile:
        def decide(file: AudioFile) -> None:
            if file.is_removed:
                raise NotFoundError(f"there is no audio file {file_id}")
            file.remove(now)

        try:
            with _translated():
                return await self._repository.execute(file_id, command_id, decide)
        except Conflict as error:
            raise OvertakenError(f"other commands keep changing file {file_id}") from error


def _log_corrupt(record: Record, error: Corrupt) -> None:
    log.error("message skipped: it is not a commit", sequence=record.sequence, reason=str(error))


@contextmanager
def _translated() -> Iterator[None]:
    """Translate the exceptions of the event log into BrokerError, except for Conflict."""
    try:
        yield
    except Conflict:
        raise
    except EventLogError as error:
        raise BrokerError(f"the event log: {error}") from error
