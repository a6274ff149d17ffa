"""The files in the event log, with the lists folded in memory."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from uuid import UUID

import structlog

from cato_contracts.errors import BrokerError
from cato_contracts.requests import Actor
from cato_contracts.resources import AudioFile as AudioFileResource
from cato_contracts.resources import Page
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
from cato_runtime.tasks import end_tasks

log = structlog.get_logger()

_SUBJECTS = ("ev.audio-file.*",)
_CATCH_UP_S = 5.0
_START_S = 60.0
_RESTART_S = 1.0


class JetStreamAudioFiles:
    """Every reading first asks the log where its end is and waits until that is folded.

    So what one replica has acknowledged, every other one shows.
    """

    def __init__(self, event_log: Log) -> None:
        self._log = event_log
        self._repository = Repository(
            event_log, AudioFile, transcodings=(DataclassAsDict(Prompt, "audio-file-prompt"),)
        )
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._catalog = Catalog()
        self._follower = Follower(self._log, _SUBJECTS, _decoded, on_corrupt=_pass_over)

    @asynccontextmanager
    async def followed(self) -> AsyncIterator[None]:
        """Keep the lists up to date while the context lasts; entered when they are complete.

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
                # The log is not the one that was folded: a server lost its tail.
                log.exception("the lists are void and folded anew")
            except Unavailable:
                log.exception("the log is closed")
                return
            self._begin_anew()
            await asyncio.sleep(_RESTART_S)

    def _fold(self, commit: Commit) -> None:
        try:
            file = self._repository.restore(commit)
        except Corrupt:
            log.exception("a commit is passed over", sequence=commit.sequence)
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

    async def removed_by(self, file_id: UUID) -> str | None:
        return (await self._current()).removed_by(file_id)

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
            file.remove(now)

        try:
            with _translated():
                return await self._repository.execute(file_id, command_id, decide)
        except Conflict as error:
            raise OvertakenError(f"{file_id} changes all the time") from error


def _decoded(record: Record) -> Commit:
    return Commit.from_record(record)


def _pass_over(record: Record, error: Corrupt) -> None:
    log.error("a message is passed over", sequence=record.sequence, reason=str(error))


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except Conflict:
        raise
    except EventLogError as error:
        raise BrokerError(f"the event log: {error}") from error
