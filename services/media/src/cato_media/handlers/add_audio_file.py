"""Add a file: inspect it, transcode it, store it under its name; all of this or nothing."""

import asyncio
import hashlib
import mmap
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path

import structlog

from cato_contracts.api.resources import AudioFile as AudioFileResource
from cato_contracts.errors import (
    BrokerError,
    ConflictError,
    InvalidError,
    TooLargeError,
    UnavailableError,
)
from cato_contracts.messages.audio_commands import AddAudioFile
from cato_contracts.objects import Bucket, ObjectRef
from cato_media.domain.audio_file import AudioFile, Prompt, audio_file_id, check_name
from cato_media.domain.checks import SILENT_DBFS
from cato_media.domain.sniffing import inspect
from cato_media.domain.sound import Sound
from cato_media.handlers.deps import Deps
from cato_media.ports import OvertakenError, Transcoded
from cato_runtime.objects import ObjectMissingError, ObjectStore
from cato_runtime.requests import RequestContext

log = structlog.get_logger()

_FILE_CHUNK = 128 * 1024
_MAX_OVERTAKEN = 5


@dataclass(frozen=True, slots=True)
class _Transcoding:
    """The result of an upload: its digest, and the prompt in a file on disk."""

    source_sha256: str
    sound: Sound
    made: Transcoded
    prompt: Path


async def add_audio_file(deps: Deps, command: AddAudioFile, context: RequestContext) -> AudioFileResource:
    """Return the file that the upload has become.

    The same bytes under the same name are the same file. The upload is discarded in any case: a client that
    tries again sends the bytes again.

    Raises:
        RefusedError: with the reason why the upload is rejected.

    """
    with deps.uploads.counted():
        try:
            async with deps.uploads.slots:
                return (await _add(deps, command, context)).resource()
        finally:
            await _discard(deps.objects, command.upload)


async def _add(deps: Deps, command: AddAudioFile, context: RequestContext) -> AudioFile:
    check_name(command.name)
    known = await _added_before(deps, command, context)
    if known is not None:
        return known
    if command.upload.size > deps.limits.max_bytes:
        raise TooLargeError(
            f"the file has {command.upload.size} bytes, at most {deps.limits.max_bytes} are allowed"
        )
    with deps.scratch.directory() as scratch:
        source, target = scratch / "source", scratch / "prompt"
        try:
            await deps.objects.fetch(command.upload, source)
        except ObjectMissingError as error:
            # The same command runs twice: the other run has finished since the first check.
            known = await _added_before(deps, command, context)
            if known is not None:
                return known
            raise UnavailableError("the upload is no longer there; send the file again") from error
        digest = await asyncio.to_thread(_sha256, source)
        latest = await deps.files.latest(command.actor.user_id, command.name)
        if latest is not None and not latest.is_removed:
            return _same_content(latest, digest)
        sound = await asyncio.to_thread(_inspect, source, command.name, deps.limits.max_seconds)
        made = await deps.transcoder.transcode(source, sound, target)
        _log_prompt(command, sound, made)
        if made.peak_dbfs < SILENT_DBFS and not command.allow_silence:
            raise InvalidError(
                "the audio is silent, which would be played and counted as heard;"
                " if it is meant as a pause, send it with allowSilence=true"
            )
        return await _store(deps, command, context, _Transcoding(digest, sound, made, target))


async def _added_before(deps: Deps, command: AddAudioFile, context: RequestContext) -> AudioFile | None:
    """Return the file that this command has added in an earlier attempt."""
    file = await deps.files.added_by(context.command_id)
    if file is None:
        return None
    if (file.owner, file.name) != (command.actor.user_id, command.name):
        raise ConflictError("the same command has added another file", resource_id=str(file.id))
    return file


def _inspect(source: Path, name: str, max_seconds: float) -> Sound:
    if source.stat().st_size == 0:
        raise InvalidError("the file is empty")
    with (
        source.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
    ):
        return inspect(data, name, max_seconds=max_seconds)


async def _store(
    deps: Deps, command: AddAudioFile, context: RequestContext, transcoding: _Transcoding
) -> AudioFile:
    """Store the prompt, then commit the file, so that a file in a list always has its audio.

    The object's name is derived from the file's id and the audio. So a retry after a crash writes the same
    object and leaves nothing behind, and the loser of a race knows whether the object belongs to the winner.
    """
    owner, made = command.actor.user_id, transcoding.made
    for _ in range(_MAX_OVERTAKEN):
        latest = await deps.files.latest(owner, command.name)
        if latest is not None and not latest.is_removed:
            return _same_content(latest, transcoding.source_sha256)
        generation = latest.generation + 1 if latest else 1
        file_id = audio_file_id(owner, command.name, generation)
        content = await deps.objects.put(
            Bucket.PROMPTS, f"audio/{file_id}/{made.sha256}.alaw", _chunks(transcoding.prompt)
        )
        file = AudioFile.add(
            owner=owner,
            name=command.name,
            generation=generation,
            source_sha256=transcoding.source_sha256,
            source_kind=str(transcoding.sound.kind),
            prompt=Prompt(
                content.name,
                made.sha256,
                made.size_bytes,
                made.duration_ms,
                peak_dbfs=round(made.peak_dbfs, 1),
                rms_dbfs=round(made.rms_dbfs, 1),
                warnings=[[warned.code, warned.message] for warned in made.warnings],
            ),
            now=context.now,
        )
        try:
            return await deps.files.add(file, command_id=context.command_id)
        except OvertakenError:
            await _withdraw(deps, content, file)
    raise UnavailableError(f"other requests keep adding and removing {command.name!r}; try again")


async def _withdraw(deps: Deps, content: ObjectRef, file: AudioFile) -> None:
    winner = await deps.files.get(file.id)
    if winner is None or winner.is_removed or winner.prompt.object_name != content.name:
        await _discard(deps.objects, content)


def _same_content(existing: AudioFile, source_sha256: str) -> AudioFile:
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
        # The answer stands: an upload expires, and nothing refers to the prompt.
        log.warning("object not removed", bucket=ref.bucket, object=ref.name, reason=str(error))


def _log_prompt(command: AddAudioFile, sound: Sound, made: Transcoded) -> None:
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
        warnings=[warned.code for warned in made.warnings],
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


async def _chunks(path: Path) -> AsyncGenerator[bytes, None]:
    with path.open("rb") as file:
        while chunk := await asyncio.to_thread(file.read, _FILE_CHUNK):
            yield chunk
