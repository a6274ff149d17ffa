"""Queries. A file that the actor may not see is reported as not found, so its existence does not leak."""

from uuid import UUID

from cato_contracts.api.resources import AudioFile as AudioFileResource
from cato_contracts.api.resources import Page
from cato_contracts.errors import NotFoundError
from cato_contracts.messages.audio_commands import GetAudioFile, GetAudioFiles, ListAudioFiles
from cato_contracts.requests import Actor
from cato_media.handlers.deps import Deps
from cato_runtime.requests import RequestContext


async def get_audio_file(deps: Deps, query: GetAudioFile, _context: RequestContext) -> AudioFileResource:
    """Return one file.

    Raises:
        NotFoundError: if it does not exist or the actor may not see it.

    """
    found = await _visible(deps, query.id, query.actor)
    if found is None:
        raise NotFoundError(f"there is no audio file {query.id}")
    return found


async def get_audio_files(
    deps: Deps, query: GetAudioFiles, _context: RequestContext
) -> list[AudioFileResource]:
    """Return the files in the order of the ids; an id that is given twice is answered twice.

    Raises:
        NotFoundError: if the actor sees no file for one of the ids; the message lists all such ids.

    """
    found = {file_id: await _visible(deps, file_id, query.actor) for file_id in dict.fromkeys(query.ids)}
    unknown = [str(file_id) for file_id, file in found.items() if file is None]
    if unknown:
        raise NotFoundError(f"there is no audio file {', '.join(unknown)}", resource_id=unknown[0])
    return [file for file in (found[file_id] for file_id in query.ids) if file is not None]


async def list_audio_files(
    deps: Deps, query: ListAudioFiles, _context: RequestContext
) -> Page[AudioFileResource]:
    """Return one page of the files that the actor may see."""
    return await deps.files.page(query.actor, name=query.name, limit=query.limit, cursor=query.cursor)


async def _visible(deps: Deps, file_id: UUID, actor: Actor) -> AudioFileResource | None:
    file = await deps.files.get(file_id)
    if file is None or file.is_removed or not actor.may_see(file.owner):
        return None
    return file.resource()
