"""Remove a file that no task uses."""

import structlog

from cato_contracts.errors import BrokerError, ConflictError, NotFoundError, UnavailableError
from cato_contracts.messages.audio_commands import RemoveAudioFile
from cato_media.handlers.deps import Deps
from cato_media.ports import OvertakenError
from cato_runtime.requests import RequestContext

log = structlog.get_logger()


async def remove_audio_file(deps: Deps, command: RemoveAudioFile, context: RequestContext) -> None:
    """Remove the file, then its audio.

    Raises:
        NotFoundError: if the actor sees no such file, or another command has removed it.
        ConflictError: if a task uses it.
        UnavailableError: if the dialer does not answer, or other commands keep changing the file.

    """
    file = await deps.files.get(command.id)
    if file is None or not command.actor.may_see(file.owner):
        raise NotFoundError(f"there is no audio file {command.id}")
    if not file.is_removed:
        tasks = await deps.usage.tasks_using(file.id, command.actor)
        if tasks:
            raise ConflictError(
                f"the audio file is used by {_count(len(tasks))}: remove it there first",
                resource_id=str(tasks[0]),
            )
    try:
        file = await deps.files.remove(file.id, command_id=context.command_id, now=context.now)
    except OvertakenError as error:
        raise UnavailableError("the audio file is being changed by other requests; try again") from error
    try:
        await deps.objects.remove(file.content())
    except BrokerError as error:
        # The file is removed all the same: its audio is an object that nothing refers to.
        log.warning("audio of a removed file is still stored", id=str(file.id), reason=str(error))


def _count(tasks: int) -> str:
    return "a task" if tasks == 1 else f"{tasks} tasks"
