"""Commands and queries on tasks, but for starting them."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from cato_contracts.campaign_commands import (
    AddTask,
    FindTasksUsingFile,
    GetTask,
    ListTasks,
    RemoveTask,
    ReplaceTask,
)
from cato_contracts.errors import InvalidError, NotFoundError
from cato_contracts.ids import derived_id
from cato_contracts.requests import Actor
from cato_contracts.resources import Page, TaskSpec
from cato_contracts.resources import Task as TaskView
from cato_dialer.campaign.domain.catalog.ownership import command_digest, owner_for
from cato_dialer.campaign.domain.catalog.task import Task, check_times
from cato_dialer.campaign.handlers.catalog import Repositories, add, change, made_before, visible
from cato_dialer.campaign.handlers.catalog_view import CatalogView
from cato_dialer.campaign.ports import AudioLibrary
from cato_runtime.requests import RequestContext, RequestTable

WHAT = Task.WHAT


class TaskHandlers:
    """What is done with tasks."""

    def __init__(self, repositories: Repositories, view: CatalogView, audio: AudioLibrary) -> None:
        self._repositories = repositories
        self._tasks = repositories.tasks
        self._view = view
        self._audio = audio

    def register(self, table: RequestTable) -> None:
        table.add(AddTask, self.add)
        table.add(ReplaceTask, self.replace)
        table.add(RemoveTask, self.remove)
        table.add(GetTask, self.get)
        table.add(ListTasks, self.list)
        table.add(FindTasksUsingFile, self.using_file)

    async def add(self, command: AddTask, context: RequestContext) -> TaskView:
        owner = owner_for(command.actor, command.owner)
        digest = command_digest(command)
        task_id = derived_id(Task.TOPIC, command.actor.user_id, context.command_id)
        if (made := await made_before(self._tasks, WHAT, task_id, context, digest)) is not None:
            return made.view()
        await self._check_references(command.actor, command.spec)
        new = Task.add(
            task_id,
            user_id=owner,
            spec=command.spec,
            command_id=context.command_id,
            digest=digest,
            timestamp=context.now,
        )
        return (await add(self._tasks, new, context, digest)).view()

    async def replace(self, command: ReplaceTask, context: RequestContext) -> TaskView:
        task = await visible(self._tasks, WHAT, command.id, command.actor)
        owner = task.user_id if command.owner is None else owner_for(command.actor, command.owner)
        if context.command_id not in task.digests:
            check_times(command.spec)
            await self._check_references(command.actor, command.spec)

        def decide(task: Task, digest: str) -> None:
            task.replace(
                user_id=owner,
                spec=command.spec,
                command_id=context.command_id,
                digest=digest,
                timestamp=context.now,
            )

        return (await change(self._tasks, WHAT, command.id, command, context, decide)).view()

    async def remove(self, command: RemoveTask, context: RequestContext) -> None:
        def decide(task: Task, digest: str) -> None:
            task.remove(command_id=context.command_id, digest=digest, timestamp=context.now)

        await change(self._tasks, WHAT, command.id, command, context, decide)

    async def get(self, query: GetTask, _context: RequestContext) -> TaskView:
        return (await visible(self._tasks, WHAT, query.id, query.actor)).view()

    async def list(self, query: ListTasks, _context: RequestContext) -> Page[TaskView]:
        await self._view.fresh()
        return self._view.tasks.page(query.actor, name=query.name, limit=query.limit, cursor=query.cursor)

    async def using_file(self, query: FindTasksUsingFile, _context: RequestContext) -> Sequence[UUID]:
        await self._view.fresh()
        users = self._view.tasks_with_file(query.file_id)
        return [task.id for task in users if query.actor.may_see(task.user_id)]

    async def _check_references(self, actor: Actor, spec: TaskSpec) -> None:
        """Raise InvalidError naming everything that the task refers to and the actor cannot see."""
        problems = []
        try:
            await visible(self._repositories.settings, "notification settings", spec.settings, actor)
        except NotFoundError:
            problems.append(f"settings: there are no notification settings {spec.settings}")
        unknown = [group for group in spec.groups if not await self._group_exists(group, actor)]
        if unknown:
            problems.append(f"groups: there is no subscriber group {_listed(unknown)}")
        try:
            await self._audio.files(actor, spec.files)
        except InvalidError as error:
            problems.append(error.message)
        if problems:
            raise InvalidError("; ".join(problems))

    async def _group_exists(self, group_id: UUID, actor: Actor) -> bool:
        try:
            await visible(self._repositories.groups, "subscriber group", group_id, actor)
        except NotFoundError:
            return False
        return True


def _listed(ids: Iterable[UUID]) -> str:
    return ", ".join(str(each) for each in ids)
