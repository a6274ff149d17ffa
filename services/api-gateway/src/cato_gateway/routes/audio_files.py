"""`/audio-files`: prompts (manual, 3.1)."""

from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request
from pydantic import Field
from starlette.responses import Response

from cato_contracts.api.examples import AUDIO_ID
from cato_contracts.api.resources import AudioFile, AudioWarning, Page
from cato_contracts.errors import PreconditionFailedError
from cato_contracts.messages.audio_commands import AddAudioFile, GetAudioFile, ListAudioFiles, RemoveAudioFile
from cato_contracts.model import Resource
from cato_gateway.http import bodies
from cato_gateway.http.conditional import IF_NONE_MATCH, IfMatch, matches
from cato_gateway.http.idempotency import IdempotencyKey
from cato_gateway.http.request_context import (
    API,
    Reader,
    RequestContext,
    ResourceId,
    Writer,
    json_answer,
)
from cato_gateway.openapi import responses
from cato_gateway.openapi.content import binary_content, request_body
from cato_gateway.routes.audio_content import AudioFormat, audio_answer
from cato_gateway.routes.parameters import Cursor, Limit, NameInAddress, NamePart, UtcInstant

router = APIRouter(prefix=f"{API}/audio-files", tags=["audio files"], responses=responses.COMMON)


class AudioFileView(Resource):
    """An audio file; `url` is the address of its content."""

    id: UUID = Field(examples=[AUDIO_ID])
    """Chosen by the server."""

    name: str = Field(examples=["flood_warning"])
    """A name of 1 to 200 characters, not only blanks."""

    url: str = Field(examples=[f"http://127.0.0.1:8080{API}/audio-files/{AUDIO_ID}/content"])
    """The address of the content."""

    user_id: str = Field(examples=["user"])
    """The user that it belongs to: the token's own, or for administrators another one."""

    duration_ms: int = Field(examples=[6390])
    """The duration, in milliseconds."""

    size_bytes: int = Field(examples=[51120])
    """The size in bytes of A-law, 8000 per second."""

    sha256: str = Field(examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"])
    """SHA-256 of the A-law bytes, in hex."""

    created_at: UtcInstant = Field(examples=["2024-03-24T08:00:00Z"])
    """When it was added."""

    peak_dbfs: float | None = Field(default=None, examples=[-1.6])
    """The highest level of the stored audio, in dB below full scale; null for files of earlier versions."""

    rms_dbfs: float | None = Field(default=None, examples=[-21.5])
    """The mean level of the stored audio, in dB below full scale; null for files of earlier versions."""

    warnings: list[AudioWarning] = Field(default_factory=list, examples=[[]])
    """What makes the message hard to understand, or should be checked; the file is stored all the same."""

    @classmethod
    def of(cls, file: AudioFile, context: RequestContext) -> Self:
        url = context.url(f"/audio-files/{file.id}/content")
        return cls(**file.model_dump(exclude={"content"}), url=url)


class AudioFiles(Page[AudioFileView]):
    """A page of audio files."""


async def _declare_range(
    range_: Annotated[
        str | None, Header(alias="Range", description="The bytes wanted, such as `bytes=0-7999`.")
    ] = None,
    if_range: Annotated[
        str | None,
        Header(alias="If-Range", description="The range is meant for this ETag; otherwise all is sent."),
    ] = None,
) -> None:
    """Declare the headers for the OpenAPI document; `audio_answer` reads them."""


@router.put(
    "/add/{filename:path}",
    response_model=AudioFileView,
    responses=responses.created("get_audio_file", "get_audio_content", "remove_audio_file")
    | responses.errors(409, 413, 415),
    openapi_extra=request_body(binary_content(bodies.OCTETS)),
)
async def add_audio_file(
    context: Writer,
    filename: NameInAddress,
    allow_silence: Annotated[
        bool,
        Query(alias="allowSilence", description="Accept audio without any sound, as a pause between files."),
    ] = False,
    key: IdempotencyKey = None,
) -> Response:
    """Add an audio file: mp3, wav, FLAC, Ogg, M4A, AAC, or raw PCM (16 bits, little-endian, 8 kHz, mono).

    It is stored as G.711 A-law, 8000 bytes a second, mono. The same bytes under the same name give the
    existing file; other bytes under an existing name are rejected with 409. Bytes that would be played as
    noise are rejected with 415, silence with 400.
    """
    bodies.media_type(context.request, {bodies.OCTETS})
    upload = await context.upload(context.deps.config.limits.audio_bytes)
    command = AddAudioFile(actor=context.actor, name=filename, upload=upload.ref, allow_silence=allow_silence)
    return await context.carry_out_upload(
        upload, command, lambda file: AudioFileView.of(file, context), key=key
    )


@router.get("", response_model=AudioFiles)
async def list_audio_files(
    context: Reader, limit: Limit = 100, cursor: Cursor = None, name: NamePart = None
) -> Response:
    """List audio files."""
    found = await context.ask(ListAudioFiles(actor=context.actor, name=name, limit=limit, cursor=cursor))
    items = [AudioFileView.of(file, context) for file in found.items]
    return json_answer(AudioFiles(items=items, next_cursor=found.next_cursor))


@router.get(
    "/{id}",
    response_model=AudioFileView,
    responses=responses.read_once() | responses.errors(404),
    dependencies=[IF_NONE_MATCH],
)
async def get_audio_file(context: Reader, id: ResourceId) -> Response:  # noqa: A002
    """Describe an audio file."""
    file = await context.ask(GetAudioFile(actor=context.actor, id=id))
    return context.show(file, AudioFileView.of(file, context))


@router.get(
    "/{id}/content",
    response_class=Response,
    responses=responses.ranges_of(binary_content("audio/wav", "audio/x-alaw-basic"))
    | responses.errors(404, 416),
    dependencies=[IF_NONE_MATCH, Depends(_declare_range)],
)
async def get_audio_content(
    context: Reader,
    request: Request,
    id: ResourceId,  # noqa: A002
    format: Annotated[AudioFormat, Query(description="How the bytes are wrapped.")] = AudioFormat.WAV,  # noqa: A002
) -> Response:
    """Get the audio: a WAV file of A-law, or the A-law bytes without a header. Byte ranges are supported."""
    file = await context.ask(GetAudioFile(actor=context.actor, id=id))
    return await audio_answer(request, context.deps.objects, file, format)


@router.delete("/{id}", status_code=204, responses=responses.errors(404, 409, 412))
async def remove_audio_file(
    context: Writer,
    id: ResourceId,  # noqa: A002
    if_match: IfMatch = None,
) -> Response:
    """Remove an audio file that no task uses."""
    if if_match is not None:
        # An audio file never changes, so it is the same file between this check and the removal.
        file = await context.ask(GetAudioFile(actor=context.actor, id=id))
        if not matches(if_match, file):
            raise PreconditionFailedError(
                "the audio file is not the one that If-Match names", resource_id=str(id)
            )
    return await context.remove(RemoveAudioFile(actor=context.actor, id=id))
