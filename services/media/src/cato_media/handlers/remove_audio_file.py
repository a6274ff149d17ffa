"""Removing a file that no task plays."""

import structlog

from cato_contracts.audio_commands import RemoveAudioFile
from cato_contracts.errors import BrokerError, ConflictError, NotFoundError, UnavailableError
from cato_media.ports import AudioFiles, OvertakenError, PromptUsage
from cato_runtime.objects import ObjectStore
from cato_runtime.requests import RequestContext

log = structlog.get_logger()


class RemoveAudioFileHandler:
    def __init__(self, files: AudioFiles, objects: ObjectStore, usage: PromptUsage) -> None:
        self._files = files
        self._objects = objects
        self._usage = usage

    async def __call__(self, command: RemoveAudioFile, context: RequestContext) -> None:
        file = await self._files.get(command.id)
        if file is None or not command.actor.may_see(file.owner):
            raise NotFoundError(f"there is no audio file {command.id}")
        if not file.is_removed:
            tasks = await self._usage.tasks_using(file.id, command.actor)
            if tasks:
                raise ConflictError(
                    f"the audio file is used by {_count(len(tasks))}: remove it there first",
                    resource_id=str(tasks[0]),
                )
        elif await self._files.removed_by(file.id) != context.command_id:
            raise NotFoundError(f"there is no audio file {command.id}")
        try:
            file = await self._files.remove(file.id, command_id=context.command_id, now=context.now)
        except OvertakenError as error:
            raise UnavailableError("the audio file is being changed by others; try again") from error
        try:
            await self._objects.remove(file.content())
        except BrokerError as error:
            # It is removed all the same; its sound is a few bytes that nobody refers to.
            log.warning("the sound of a removed file is still there", id=str(file.id), reason=str(error))


def _count(tasks: int) -> str:
    return "a task" if tasks == 1 else f"{tasks} tasks"
