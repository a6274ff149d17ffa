"""The audio files of the media service, requested over the broker."""

from collections.abc import Sequence
from uuid import UUID

from cato_contracts.api.resources import AudioFile
from cato_contracts.errors import InvalidError, NotFoundError
from cato_contracts.messages.audio_commands import GetAudioFiles
from cato_contracts.requests import Actor
from cato_runtime.requests import Requester

_TIMEOUT_S = 5.0


class MediaAudioLibrary:
    """Implements `ports.AudioLibrary`."""

    def __init__(self, requester: Requester) -> None:
        self._requester = requester

    async def files(self, actor: Actor, ids: Sequence[UUID]) -> list[AudioFile]:
        try:
            return await self._requester.ask(GetAudioFiles(actor=actor, ids=list(ids)), timeout=_TIMEOUT_S)
        except NotFoundError as error:
            raise InvalidError(f"files: {error.message}", resource_id=error.resource_id) from error
