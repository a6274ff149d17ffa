"""Looking at files. Somebody else's file, for whoever may not see it, is not there."""

from uuid import UUID

from cato_contracts.audio_commands import GetAudioFile, GetAudioFiles, ListAudioFiles
from cato_contracts.errors import NotFoundError
from cato_contracts.requests import Actor
from cato_contracts.resources import AudioFile as AudioFileResource
from cato_contracts.resources import Page
from cato_media.ports import AudioFiles
from cato_runtime.requests import RequestContext


class ReadAudioFiles:
    def __init__(self, files: AudioFiles) -> None:
        self._files = files

    async def get(self, query: GetAudioFile, _context: RequestContext) -> AudioFileResource:
        found = await self._visible(query.id, query.actor)
        if found is None:
            raise NotFoundError(f"there is no audio file {query.id}")
        return found

    async def get_several(self, query: GetAudioFiles, _context: RequestContext) -> list[AudioFileResource]:
        found = {file_id: await self._visible(file_id, query.actor) for file_id in dict.fromkeys(query.ids)}
        unknown = [str(file_id) for file_id, file in found.items() if file is None]
        if unknown:
            raise NotFoundError(f"there is no audio file {', '.join(unknown)}", resource_id=unknown[0])
        return [file for file in (found[file_id] for file_id in query.ids) if file is not None]

    async def list(self, query: ListAudioFiles, _context: RequestContext) -> Page[AudioFileResource]:
        return await self._files.page(query.actor, name=query.name, limit=query.limit, cursor=query.cursor)

    async def _visible(self, file_id: UUID, actor: Actor) -> AudioFileResource | None:
        file = await self._files.get(file_id)
        if file is None or file.is_removed or not actor.may_see(file.owner):
            return None
        return file.resource()
