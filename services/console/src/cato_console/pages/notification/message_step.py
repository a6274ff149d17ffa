"""Step 1: what is played."""

from dataclasses import replace
from datetime import datetime
from pathlib import PurePath
from uuid import UUID
from zoneinfo import ZoneInfo

from starlette.datastructures import UploadFile
from starlette.responses import Response

from cato_client import ConflictError, InvalidError, operations
from cato_client.models import AudioFile
from cato_console.http.visits import Visit, words
from cato_console.pages.ids import id_of
from cato_console.pages.notification.plan import plan_of

_SHOWN = 12
_BAD = 400


async def begin(visit: Visit) -> Response:
    return visit.go("/new/message")


async def show(visit: Visit) -> Response:
    """Offer an upload, and the messages that are there."""
    return await _page(visit)


async def upload(visit: Visit) -> Response:
    """Store a recording, or take one that is there."""
    form = await visit.form()
    plan = plan_of(visit)
    if chosen := words(form, "chosen"):
        return visit.go(replace(plan, audio=id_of(chosen)).address("people"))
    file = form.get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        return await _page(visit, fault=visit.language.gettext("Choose a recording, or one of those below."))
    content = await file.read()
    name = words(form, "name") or PurePath(file.filename).name
    try:
        stored = await _store(visit, name, content, silence=words(form, "silence") == "yes")
    except InvalidError as error:
        return await _page(visit, fault=error.message)
    return visit.go(replace(plan, audio=stored.id).address("message"), notice="listen")


async def listen(visit: Visit) -> Response:
    """Answer with the audio as the person will hear it."""
    audio_id: UUID = visit.request.path_params["id"]
    content = await visit.api.do(operations.get_audio_content(audio_id))
    return Response(content, media_type="audio/wav", headers={"Content-Disposition": "inline"})


async def _store(visit: Visit, name: str, content: bytes, *, silence: bool) -> AudioFile:
    try:
        return await visit.uploads.do(operations.add_audio_file(name, content, allow_silence=silence))
    except ConflictError:
        # Another recording has this name: people record the same announcement again and again.
        at = datetime.now(ZoneInfo(visit.deps.settings.time_zone))
        stem, suffix = PurePath(name).stem, PurePath(name).suffix
        other = f"{stem} {at:%Y-%m-%d %H.%M.%S}{suffix}"
        return await visit.uploads.do(operations.add_audio_file(other, content, allow_silence=silence))


async def _page(visit: Visit, *, fault: str | None = None) -> Response:
    plan = plan_of(visit)
    found = await visit.api.do(operations.list_audio_files(limit=_SHOWN, name=visit.query("name") or None))
    chosen = await visit.api.do(operations.get_audio_file(plan.audio)) if plan.audio else None
    return visit.page(
        "new/message.html",
        status=_BAD if fault else 200,
        plan=plan,
        step="message",
        files=found.items,
        chosen=chosen,
        fault=fault,
    )
