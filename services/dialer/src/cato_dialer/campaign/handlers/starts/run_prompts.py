"""What the calls of a run play: the message, and what follows the key to opt out."""

import hashlib
from collections.abc import AsyncIterator, Sequence

from cato_contracts.api.resources import AudioFile, SettingsSpec
from cato_contracts.errors import ConflictError
from cato_contracts.messages.runs import OptOut, Prompt
from cato_contracts.objects import Bucket
from cato_contracts.requests import Actor
from cato_dialer.campaign.domain.catalog.task import Task
from cato_dialer.campaign.handlers.deps import Deps
from cato_dialer.campaign.handlers.exclusions.opt_out_list import find_opt_out_list, opt_out_name
from cato_dialer.campaign.handlers.notification_settings import opt_out_files
from cato_runtime.objects import ObjectMissingError

_BYTES_PER_MS = 8


async def opt_out_of(deps: Deps, task: Task, spec: SettingsSpec) -> OptOut | None:
    """Return what follows `optOutKey` in a run, None without such a key."""
    if spec.opt_out_key is None:
        return None
    files = await opt_out_files(deps, Actor(user_id=task.user_id, admin=True), spec)
    return OptOut(
        list_id=await find_opt_out_list(deps, task.user_id, spec),
        list_name=opt_out_name(spec),
        prompt=await store_prompt(deps, task, files, 1) if files else None,
    )


async def store_prompt(deps: Deps, task: Task, files: Sequence[AudioFile], repeat_count: int) -> Prompt:
    """Store the files one after another, once, with one file at a time in memory."""
    digest = hashlib.sha256()
    size = 0
    try:
        async for part in _parts(deps, files):
            digest.update(part)
            size += len(part)
        name = f"run/{digest.hexdigest()}"
        audio = await deps.objects.put(Bucket.PROMPTS, name, _parts(deps, files))
    except ObjectMissingError as error:
        raise cannot_start(task, str(error)) from error
    return Prompt(audio=audio, duration_ms=size * repeat_count // _BYTES_PER_MS, repeat_count=repeat_count)


async def _parts(deps: Deps, files: Sequence[AudioFile]) -> AsyncIterator[bytes]:
    for file in files:
        yield await deps.objects.get(file.content)


def cannot_start(task: Task, reason: str) -> ConflictError:
    return ConflictError(f"the task cannot be started: {reason}", resource_id=str(task.id))
