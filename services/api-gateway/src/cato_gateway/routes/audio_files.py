"""`/audio-files`: prompts (manual, 3.1)."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from cato_contracts.audio_commands import AddAudioFile, GetAudioFile, ListAudioFiles, RemoveAudioFile
from cato_contracts.errors import PreconditionFailedError
from cato_contracts.resources import AudioFile
from cato_gateway.http import bodies
from cato_gateway.http.conditional import matches
from cato_gateway.http.request_context import API, Call, Reader, ResourceId, Writer, json_answer
from cato_gateway.openapi import documented
from cato_gateway.routes.audio_content import AudioFormat, audio_answer
from cato_gateway.routes.parameters import Cursor, Limit, NamePart
from cato_gateway.routes.views import AudioFiles, AudioFileView, checked_name

router = APIRouter(prefix=f"{API}/audio-files", tags=["audio files"])


def _view(call: Call, file: AudioFile) -> AudioFileView:
    return AudioFileView.of(file, call.url(f"/audio-files/{file.id}/content"))


@router.put(
    "/add/{filename:path}",
    response_model=AudioFileView,
    responses=documented.refusals(400, 409, 413, 415),
    openapi_extra=documented.upload({bodies.OCTETS: documented.BYTES}),
)
async def add_audio_file(call: Writer, filename: str) -> Response:
    """Add an audio file: mp3, wav, or raw PCM (signed 16 bits, little-endian, 8 kHz, mono).

    It is kept as G.711 A-law, 8000 bytes a second, mono. The same bytes under the same name give the
    file that is there already; other bytes under a name that is taken are refused with 409.
    """
    name = checked_name(filename)
    bodies.media_type(call.request, {bodies.OCTETS})
    upload = await call.upload(call.gateway.config.limits.audio_bytes)
    command = AddAudioFile(actor=call.actor, name=name, upload=upload.ref)
    return await call.carry_out_upload(upload, command, lambda file: _view(call, file))


@router.get("", response_model=AudioFiles, responses=documented.refusals(400))
async def list_audio_files(
    call: Reader, limit: Limit = 100, cursor: Cursor = None, name: NamePart = None
) -> Response:
    """List audio files."""
    found = await call.ask(ListAudioFiles(actor=call.actor, name=name, limit=limit, cursor=cursor))
    items = [_view(call, file) for file in found.items]
    return json_answer(AudioFiles(items=items, next_cursor=found.next_cursor))


@router.get("/{id}", response_model=AudioFileView, responses=documented.refusals(404))
async def get_audio_file(call: Reader, id: ResourceId) -> Response:  # noqa: A002
    """Describe an audio file."""
    file = await call.ask(GetAudioFile(actor=call.actor, id=id))
    return call.show(file, _view(call, file))


@router.get(
    "/{id}/content",
    response_class=Response,
    responses=documented.audio() | documented.refusals(400, 404, 416),
)
async def get_audio_content(
    call: Reader,
    request: Request,
    id: ResourceId,  # noqa: A002
    format: AudioFormat = AudioFormat.WAV,  # noqa: A002
) -> Response:
    """Get what is heard: a WAV file of A-law, or the bare A-law bytes. Ranges of bytes are served."""
    file = await call.ask(GetAudioFile(actor=call.actor, id=id))
    return await audio_answer(request, call.gateway.objects, file, format)


@router.delete("/{id}", status_code=204, responses=documented.refusals(404, 409))
async def remove_audio_file(call: Writer, id: ResourceId) -> Response:  # noqa: A002
    """Remove an audio file that no task uses."""
    if "if-match" in call.request.headers:
        # It never changes, so that nothing can happen to it between the look and the removal.
        file = await call.ask(GetAudioFile(actor=call.actor, id=id))
        if not matches(call.request, file):
            raise PreconditionFailedError("it is not the audio file that If-Match names", resource_id=str(id))
    return await call.remove(RemoveAudioFile(actor=call.actor, id=id))
