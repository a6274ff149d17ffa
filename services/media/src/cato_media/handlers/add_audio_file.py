"""Adding a file: judge it, make a prompt of it, keep it under its name; all of this or nothing."""

import asyncio
import hashlib
import mmap
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path

import structlog

from cato_contracts.audio_commands import AddAudioFile
from cato_contracts.errors import (
    BrokerError,
    ConflictError,
    InvalidError,
    TooLargeError,
    UnavailableError,
)
from cato_contracts.objects import Bucket, ObjectRef
from cato_contracts.resources import AudioFile as AudioFileResource
from cato_media.domain.audio_file import AudioFile, Prompt, audio_file_id, check_name
from cato_media.domain.sniffing import inspect
from cato_media.domain.sound import Sound
from cato_media.ports import AudioFiles, OvertakenError, ScratchSpace, Transcoded, Transcoder
from cato_runtime.objects import ObjectMissingError, ObjectStore
from cato_runtime.requests import RequestContext

log = structlog.get_logger()

_FILE_CHUNK = 128 * 1024
_MAX_OVERTAKEN = 5
_UPLOADS_IN_HAND = 8
_QUIET_DBFS = -60.0


@dataclass(frozen=True, slots=True)
class AudioLimits:
    """What one upload may have: bytes as sent, seconds of sound."""

    max_bytes: int
    max_seconds: float


@dataclass(frozen=True, slots=True)
class _Result:
    """What was made of an upload: the prompt in a file on disk, and the digest of what was sent."""

    source_sha256: str
    sound: Sound
    made: Transcoded
    prompt: Path


class AddAudioFileHandler:
    """Uploads in hand are bounded: each takes disk space, and the decoder's slots are few anyway."""

    def __init__(
        self,
        files: AudioFiles,
        objects: ObjectStore,
        transcoder: Transcoder,
        *,
        scratch: ScratchSpace,
        limits: AudioLimits,
    ) -> None:
        self._files = files
        self._scratch = scratch
        self._objects = objects
        self._transcoder = transcoder
        self._limits = limits
        self._turns = asyncio.Semaphore(_UPLOADS_IN_HAND)
        self._in_hand = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def __call__(self, command: AddAudioFile, context: RequestContext) -> AudioFileResource:
        self._in_hand += 1
        self._idle.clear()
        try:
            async with self._turns:
                return (await self._add(command, context)).resource()
        finally:
            # Whatever came of it: a client that tries again sends the bytes again.
            await _discard(self._objects, command.upload)
            self._in_hand -= 1
            if not self._in_hand:
                self._idle.set()

    async def until_idle(self) -> None:
        """Wait until no upload is in hand."""
        await self._idle.wait()

    async def _add(self, command: AddAudioFile, context: RequestContext) -> AudioFile:
        check_name(command.name)
        known = await self._known(command, context)
        if known is not None:
            return known
        if command.upload.size > self._limits.max_bytes:
            raise TooLargeError(
                f"the file has {command.upload.size} bytes, at most {self._limits.max_bytes} are allowed"
            )
        with self._scratch.directory() as scratch:
            source, target = scratch / "source", scratch / "prompt"
            try:
                await self._objects.fetch(command.upload, source)
            except ObjectMissingError as error:
                # The same command at work twice: the other one has finished since we looked.
                known = await self._known(command, context)
                if known is not None:
                    return known
                raise UnavailableError("the upload is no longer there; send the file again") from error
            digest = await asyncio.to_thread(_sha256, source)
            latest = await self._files.latest(command.actor.user_id, command.name)
            if latest is not None and not latest.is_removed:
                return _the_same(latest, digest)
            sound = await asyncio.to_thread(self._inspect, source, command.name)
            made = await self._transcoder.transcode(source, sound, target)
            _tell(command, sound, made)
            return await self._keep(command, context, _Result(digest, sound, made, target))

    async def _known(self, command: AddAudioFile, context: RequestContext) -> AudioFile | None:
        file = await self._files.added_by(context.command_id)
        if file is None:
            return None
        if (file.owner, file.name) != (command.actor.user_id, command.name):
            raise ConflictError("the same command has added another file", resource_id=str(file.id))
        return file

    def _inspect(self, source: Path, name: str) -> Sound:
        if source.stat().st_size == 0:
            raise InvalidError("the file is empty")
        with (
            source.open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
        ):
            return inspect(data, name, max_seconds=self._limits.max_seconds)

    async def _keep(self, command: AddAudioFile, context: RequestContext, result: _Result) -> AudioFile:
        """Store the prompt, then commit the file: a file that is seen has its sound.

        The object's name is derived from the file's id and the sound. So a retry after a crash writes to the
        same place and leaves nothing behind, and whoever is overtaken can tell whether the object is theirs.
        """
        owner, made = command.actor.user_id, result.made
        for _ in range(_MAX_OVERTAKEN):
            latest = await self._files.latest(owner, command.name)
            if latest is not None and not latest.is_removed:
                return _the_same(latest, result.source_sha256)
            generation = latest.generation + 1 if latest else 1
            file_id = audio_file_id(owner, command.name, generation)
            content = await self._objects.put(
                Bucket.PROMPTS, f"audio/{file_id}/{made.sha256}.alaw", _chunks(result.prompt)
            )
            file = AudioFile.add(
                owner=owner,
                name=command.name,
                generation=generation,
                source_sha256=result.source_sha256,
                source_kind=str(result.sound.kind),
                prompt=Prompt(content.name, made.sha256, made.size_bytes, made.duration_ms),
                now=context.now,
            )
            try:
                return await self._files.add(file, command_id=context.command_id)
            except OvertakenError:
                await self._withdraw(content, file)
        raise UnavailableError(f"others keep adding and removing {command.name!r}; try again")

    async def _withdraw(self, content: ObjectRef, file: AudioFile) -> None:
        winner = await self._files.get(file.id)
        if winner is None or winner.is_removed or winner.prompt.object_name != content.name:
            await _discard(self._objects, content)


def _the_same(existing: AudioFile, source_sha256: str) -> AudioFile:
    if existing.source_sha256 == source_sha256:
        return existing
    raise ConflictError(
        f"there is a file {existing.name!r} with other content: remove it first, or choose another name",
        resource_id=str(existing.id),
    )


async def _discard(objects: ObjectStore, ref: ObjectRef) -> None:
    try:
        await objects.remove(ref)
    except BrokerError as error:
        # The answer stands. An upload expires, and a prompt that nobody refers to does no harm.
        log.warning("an object could not be removed", bucket=ref.bucket, object=ref.name, reason=str(error))


def _tell(command: AddAudioFile, sound: Sound, made: Transcoded) -> None:
    log.info(
        "prompt made",
        name=command.name,
        kind=sound.kind,
        coding=sound.coding,
        rate=sound.rate,
        channels=sound.channels,
        duration_ms=made.duration_ms,
        peak_dbfs=round(made.peak_dbfs, 1),
        rms_dbfs=round(made.rms_dbfs, 1),
    )
    if made.peak_dbfs < _QUIET_DBFS:
        # A pause may be meant, so it is taken; somebody may wonder later why nobody heard anything.
        log.warning("prompt is silent", name=command.name, peak_dbfs=round(made.peak_dbfs, 1))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


async def _chunks(path: Path) -> AsyncGenerator[bytes, None]:
    with path.open("rb") as file:
        while chunk := await asyncio.to_thread(file.read, _FILE_CHUNK):
            yield chunk
