"""A media service and its client, without the broker between them."""

import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

from cato_contracts.envelope import Envelope
from cato_contracts.messages.audio_commands import AddAudioFile
from cato_contracts.objects import Bucket
from cato_contracts.requests import Actor, Request
from cato_jetstream import Appended, Log, Record, Unavailable
from cato_media.bootstrap import make_deps
from cato_media.service import MediaService
from cato_runtime.configuration.config import AudioConfig, LimitsConfig
from cato_runtime.objects import ObjectStore
from cato_runtime.requests import refusal
from tests.support.memory_objects import MemoryObjectStore

USER, OTHER = Actor(user_id="user"), Actor(user_id="other")


class Tasks:
    """Which tasks use which file."""

    def __init__(self) -> None:
        self.using: dict[UUID, list[UUID]] = {}
        self.failure: Exception | None = None

    async def tasks_using(self, file_id: UUID, actor: Actor) -> Sequence[UUID]:
        if self.failure is not None:
            raise self.failure
        return self.using.get(file_id, [])


class Clock:
    def now(self) -> datetime:
        return datetime(2024, 5, 16, 11, 8, 31, tzinfo=UTC)


class Media:
    """A media service, and its client."""

    def __init__(self, service: MediaService, log: Log, objects: ObjectStore, tasks: Tasks) -> None:
        self.service = service
        self.log = log
        self.objects = objects
        self.tasks = tasks

    async def ask(self, request: Request, command_id: str | None = None):
        envelope = Envelope.wrap(request, event_id=command_id or str(uuid4()), occurred_at=datetime.now(UTC))
        answer = await self.service.requests.dispatch(envelope)
        if answer.error is not None:
            raise refusal(answer.error)
        return request.answer_type().validate_python(answer.value)

    async def add(
        self,
        name: str,
        content: bytes,
        *,
        actor: Actor = USER,
        command_id: str | None = None,
        allow_silence: bool = False,
    ):
        upload = await self.objects.put(Bucket.UPLOADS, str(uuid4()), content)
        command = AddAudioFile(actor=actor, name=name, upload=upload, allow_silence=allow_silence)
        return await self.ask(command, command_id)

    def kept(self) -> list[tuple[Bucket, str]]:
        """What is in the object store (the one in memory)."""
        assert isinstance(self.objects, MemoryObjectStore)
        return sorted(self.objects.objects)


@asynccontextmanager
async def media_service(
    log: Log,
    objects: ObjectStore,
    tasks: Tasks,
    limits: LimitsConfig | None = None,
    audio: AudioConfig | None = None,
) -> AsyncIterator[Media]:
    with tempfile.TemporaryDirectory() as scratch:
        deps = make_deps(
            *(log, objects, tasks),
            scratch=Path(scratch),
            limits=limits or LimitsConfig(),
            audio=audio or AudioConfig(),
        )
        service = MediaService(deps, Clock())
        await service.start()
        yield Media(service, log, objects, tasks)
        await service.drain()
        await service.stop()
        assert list(Path(scratch).iterdir()) == []


class LosesAcknowledgements:
    """A log that writes, and the first time says that it does not know."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._lost = False

    @property
    def closed(self) -> bool:
        return self._log.closed

    async def append(self, subject: str, data: bytes, *, expected: int, message_id: str) -> Appended:
        appended = await self._log.append(subject, data, expected=expected, message_id=message_id)
        if not self._lost:
            self._lost = True
            raise Unavailable("no acknowledgement")
        return appended

    async def last(self, subject: str, *, fresh: bool = False) -> Record | None:
        return await self._log.last(subject, fresh=fresh)

    async def next(self, subject: str, after: int) -> Record | None:
        return await self._log.next(subject, after)

    async def end(self, subjects: Sequence[str]) -> int:
        return await self._log.end(subjects)

    def read(self, subjects: Sequence[str], *, after: int) -> AsyncGenerator[Record | None, None]:
        return self._log.read(subjects, after=after)
