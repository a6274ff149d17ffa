"""Starting a task: store everything that the run works with, then decide the start."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence

from cato_contracts.api.resources import AudioFile, StartResult, TaskStart
from cato_contracts.errors import ConflictError, InvalidError, NotFoundError
from cato_contracts.ids import time_ordered_id
from cato_contracts.messages.campaign_commands import StartTask
from cato_contracts.messages.runs import Prompt, RunSnapshot
from cato_contracts.objects import Bucket, ObjectRef
from cato_contracts.requests import Actor
from cato_dialer.campaign.domain.catalog.message import check_duration
from cato_dialer.campaign.domain.catalog.task import Task
from cato_dialer.campaign.domain.lists.snapshot_list import snapshot_list
from cato_dialer.campaign.domain.run.run import Run
from cato_dialer.campaign.handlers.catalog_view import RunningTask
from cato_dialer.campaign.handlers.coordinator.old_runs import archived_run
from cato_dialer.campaign.handlers.deps import Deps
from cato_dialer.campaign.handlers.resources import translate_log_errors
from cato_runtime.objects import ObjectMissingError
from cato_runtime.requests import RequestContext

_BYTES_PER_MS = 8
_SNAPSHOT_ATTEMPTS = 3


async def start_task(deps: Deps, command: StartTask, context: RequestContext) -> TaskStart:
    """Start a run. A repeated command answers with the run that it has started.

    Raises:
        NotFoundError: if the actor has no such task.
        ConflictError: if a run is in progress, the task has expired, or a resource that it uses is gone.

    """
    task = await deps.tasks.load(command.id, command.actor)
    if context.command_id not in task.starts:
        task.check_startable(context.now)
        if deps.config.channels == 0:
            return TaskStart(task_exec_id=None, result=StartResult.FAIL_NO_CHANNELS)
        snapshot = await _snapshot(deps, task, context)

        def decide(task: Task) -> None:
            task.check_visible(command.actor)
            task.start(snapshot, command_id=context.command_id, timestamp=context.now)

        task = await deps.tasks.execute(command.id, context.command_id, decide)
    run_id = task.starts[context.command_id]
    # If the process dies here, the coordinator creates the run.
    if task.running is not None and task.started_at is not None and task.running.run_id == run_id:
        await ensure_run_created(deps, RunningTask(task.id, task.running, task.started_at))
    return TaskStart(task_exec_id=run_id, result=StartResult.SUCCESS)


async def ensure_run_created(deps: Deps, running: RunningTask) -> Run:
    """Return the run, created by this call or an earlier one: both make the same first commit.

    A run that has left the log must not begin again, though its task may still hold it for active.
    """
    if (archived := await archived_run(deps, running.snapshot.run_id)) is not None:
        return archived
    run = Run.begin(running.snapshot, timestamp=running.started_at)
    with translate_log_errors("taskExec", run.id):
        return await deps.runs.create(run, command_id=f"begin:{run.id}", messages=run.unpublished())


async def _snapshot(deps: Deps, task: Task, context: RequestContext) -> RunSnapshot:
    # The references were checked against the actor when the task was stored. Here they only have to exist.
    owner = Actor(user_id=task.user_id, admin=True)
    try:
        settings = await deps.settings.load(task.spec.settings, owner)
        files = await deps.audio.files(owner, task.spec.files)
        # The settings or the limit may have changed since the task was stored.
        repeat_count = settings.spec.repeat_count
        check_duration(files, repeat_count, max_seconds=deps.config.limits.audio_seconds)
    except (NotFoundError, InvalidError) as error:
        raise _cannot_start(task, error.message) from error
    subscribers, count = await _store_list(deps, task, owner)
    if count == 0:
        raise _cannot_start(task, "its groups have no subscribers")
    return RunSnapshot(
        run_id=time_ordered_id(context.now),
        task_id=task.id,
        task_name=task.spec.name,
        user_id=task.user_id,
        settings=settings.view(),
        time_zone=settings.spec.time_zone or deps.config.time_zone,
        prompt=await _store_prompt(deps, task, files, repeat_count),
        subscribers=subscribers,
        subscriber_count=count,
        priority=task.spec.priority,
        start_at=task.spec.start_at,
        expires_at=task.spec.expires_at,
    )


async def _store_list(deps: Deps, task: Task, owner: Actor) -> tuple[ObjectRef, int]:
    """Store the subscribers of all groups. Return the reference to the list and the number of subscribers."""
    lines, count = await asyncio.to_thread(snapshot_list, await _group_lists(deps, task, owner))
    # Named after its content: a repeated start stores it under the same name.
    name = f"run/{hashlib.sha256(lines).hexdigest()}"
    return await deps.objects.put(Bucket.LISTS, name, lines), count


async def _group_lists(deps: Deps, task: Task, owner: Actor) -> list[bytes]:
    attempt = 1
    while True:
        try:
            groups = [await deps.groups.load(group_id, owner) for group_id in task.spec.groups]
            return [await deps.objects.get(group.subscribers) for group in groups]
        except NotFoundError as error:
            raise _cannot_start(task, error.message) from error
        except ObjectMissingError as error:
            # The group was replaced between the two reads. The next attempt reads its new list.
            if attempt == _SNAPSHOT_ATTEMPTS:
                raise _cannot_start(task, "the list of a group is missing") from error
            attempt += 1


async def _store_prompt(deps: Deps, task: Task, files: Sequence[AudioFile], repeat_count: int) -> Prompt:
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
        raise _cannot_start(task, str(error)) from error
    return Prompt(audio=audio, duration_ms=size * repeat_count // _BYTES_PER_MS, repeat_count=repeat_count)


async def _parts(deps: Deps, files: Sequence[AudioFile]) -> AsyncIterator[bytes]:
    for file in files:
        yield await deps.objects.get(file.content)


def _cannot_start(task: Task, reason: str) -> ConflictError:
    return ConflictError(f"the task cannot be started: {reason}", resource_id=str(task.id))
