"""Starting a task: everything that the run works with is fixed, then the start is decided."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence

from cato_contracts.campaign_commands import StartTask
from cato_contracts.errors import ConflictError, InvalidError, NotFoundError
from cato_contracts.ids import time_ordered_id
from cato_contracts.objects import Bucket, ObjectRef
from cato_contracts.requests import Actor
from cato_contracts.resources import AudioFile, StartResult, TaskStart
from cato_contracts.runs import Prompt, RunSnapshot
from cato_dialer.campaign.domain.catalog.notification_settings import NotificationSettings
from cato_dialer.campaign.domain.catalog.snapshot_list import joined
from cato_dialer.campaign.domain.catalog.subscriber_group import SubscriberGroup
from cato_dialer.campaign.domain.catalog.task import Task
from cato_dialer.campaign.domain.run.run import Run
from cato_dialer.campaign.handlers.catalog import Repositories, translate_log_errors, visible
from cato_dialer.campaign.handlers.catalog_view import RunningTask
from cato_dialer.campaign.ports import AudioLibrary
from cato_jetstream import Repository
from cato_runtime.config import Config
from cato_runtime.objects import ObjectMissingError, ObjectStore
from cato_runtime.requests import RequestContext, RequestTable

_BYTES_PER_MS = 8
_SNAPSHOT_ATTEMPTS = 3


class StartTaskHandler:
    """Starts tasks."""

    def __init__(
        self, repositories: Repositories, audio: AudioLibrary, objects: ObjectStore, config: Config
    ) -> None:
        self._repositories = repositories
        self._audio = audio
        self._objects = objects
        self._config = config

    def register(self, table: RequestTable) -> None:
        table.add(StartTask, self.start)

    async def start(self, command: StartTask, context: RequestContext) -> TaskStart:
        """Begin a run, or find the one that this command has begun.

        Raises:
            NotFoundError: if the actor has no such task.
            ConflictError: if a run is under way, the task has expired, or something that it uses is gone.

        """
        task = await visible(self._repositories.tasks, Task.WHAT, command.id, command.actor)
        if context.command_id not in task.starts:
            task.check_startable(context.now)
            if self._config.channels == 0:
                return TaskStart(task_exec_id=None, result=StartResult.FAIL_NO_CHANNELS)
            snapshot = await self._snapshot(task, context)
            with translate_log_errors(Task.WHAT, command.id):
                task = await self._repositories.tasks.execute(
                    command.id,
                    context.command_id,
                    lambda task: self._decide(task, snapshot, command, context),
                )
        run_id = task.starts[context.command_id]
        # Whoever dies here leaves a decided run without its first event: the coordinator makes up for it.
        if task.running is not None and task.started_at is not None and task.running.run_id == run_id:
            await begun(self._repositories.runs, RunningTask(task.id, task.running, task.started_at))
        return TaskStart(task_exec_id=run_id, result=StartResult.SUCCESS)

    @staticmethod
    def _decide(task: Task, snapshot: RunSnapshot, command: StartTask, context: RequestContext) -> None:
        task.check_visible(command.actor)
        task.start(snapshot, command_id=context.command_id, timestamp=context.now)

    async def _snapshot(self, task: Task, context: RequestContext) -> RunSnapshot:
        # Whether it may be used was settled when the task was kept: here it only has to be there.
        owner = Actor(user_id=task.user_id, admin=True)
        try:
            settings = await visible(
                self._repositories.settings, NotificationSettings.WHAT, task.spec.settings, owner
            )
            files = await self._audio.files(owner, task.spec.files)
        except (NotFoundError, InvalidError) as error:
            raise ConflictError(
                f"the task cannot be started: {error.message}", resource_id=str(task.id)
            ) from error
        subscribers, count = await self._joined_list(task, owner)
        prompt = await self._joined_prompt(files, settings.spec.repeat_count)
        return RunSnapshot(
            run_id=time_ordered_id(context.now),
            task_id=task.id,
            task_name=task.spec.name,
            user_id=task.user_id,
            settings=settings.view(),
            time_zone=settings.spec.time_zone or self._config.time_zone,
            prompt=prompt,
            subscribers=subscribers,
            subscriber_count=count,
            priority=task.spec.priority,
            start_at=task.spec.start_at,
            expires_at=task.spec.expires_at,
        )

    async def _joined_list(self, task: Task, owner: Actor) -> tuple[ObjectRef, int]:
        lists = await self._group_lists(task, owner)
        lines, count = await asyncio.to_thread(joined, lists)
        # Named by its content: a start that is tried again finds its list there.
        name = f"run/{hashlib.sha256(lines).hexdigest()}"
        return await self._objects.put(Bucket.LISTS, name, lines), count

    async def _group_lists(self, task: Task, owner: Actor) -> list[bytes]:
        attempt = 1
        while True:
            try:
                groups = [
                    await visible(self._repositories.groups, SubscriberGroup.WHAT, group_id, owner)
                    for group_id in task.spec.groups
                ]
                return [await self._objects.get(group.subscribers) for group in groups]
            except NotFoundError as error:
                raise ConflictError(
                    f"the task cannot be started: {error.message}", resource_id=str(task.id)
                ) from error
            except ObjectMissingError as error:
                # A group that is being replaced: its new list is there by now.
                if attempt == _SNAPSHOT_ATTEMPTS:
                    raise ConflictError(
                        "the task cannot be started: the list of a group is missing", resource_id=str(task.id)
                    ) from error
                attempt += 1

    async def _joined_prompt(self, files: Sequence[AudioFile], repeat_count: int) -> Prompt:
        """Store the prompts one after another, `repeat_count` times; one file at a time is in memory."""
        digest = hashlib.sha256()
        size = 0
        try:
            async for part in self._parts(files, repeat_count):
                digest.update(part)
                size += len(part)
            name = f"run/{digest.hexdigest()}"
            audio = await self._objects.put(Bucket.PROMPTS, name, self._parts(files, repeat_count))
        except ObjectMissingError as error:
            raise ConflictError(f"the task cannot be started: {error}") from error
        return Prompt(audio=audio, duration_ms=size // _BYTES_PER_MS)

    async def _parts(self, files: Sequence[AudioFile], repeat_count: int) -> AsyncIterator[bytes]:
        for _ in range(repeat_count):
            for file in files:
                yield await self._objects.get(file.content)


async def begun(runs: Repository[Run], running: RunningTask) -> Run:
    """Return the run, with its first commit made by now, by us or by somebody else: it is the same."""
    run = Run.begin(running.snapshot, timestamp=running.started_at)
    with translate_log_errors("execution", run.id):
        return await runs.create(run, command_id=f"begin:{run.id}", messages=run.unpublished())
