"""Commands and queries on tasks, except the start of a task."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from cato_contracts.api.resources import Page, TaskSpec
from cato_contracts.api.resources import Task as TaskView
from cato_contracts.errors import ForbiddenError, InvalidError, NotFoundError
from cato_contracts.ids import derived_id
from cato_contracts.messages.campaign_commands import (
    AddTask,
    FindTasksUsingFile,
    GetTask,
    ListTasks,
    RemoveTask,
    ReplaceTask,
)
from cato_contracts.requests import Actor
from cato_dialer.campaign.domain.catalog.exclusion_list import ExclusionList
from cato_dialer.campaign.domain.catalog.message import check_duration
from cato_dialer.campaign.domain.catalog.ownership import owner_for
from cato_dialer.campaign.domain.catalog.subscriber_group import SubscriberGroup
from cato_dialer.campaign.domain.catalog.task import Task, check_times
from cato_dialer.campaign.handlers.deps import Deps
from cato_dialer.campaign.handlers.resources import Resources
from cato_runtime.requests import RequestContext


async def add_task(deps: Deps, command: AddTask, context: RequestContext) -> TaskView:
    owner = owner_for(command.actor, command.owner)
    task_id = derived_id(Task.TOPIC, command.actor.user_id, context.command_id)
    # A repeated command succeeds even if a reference of the task has been removed since.
    if (added := await deps.tasks.find(task_id)) is not None:
        return added.view()
    await _check_references(deps, command.actor, command.spec)
    new = Task.add(task_id, user_id=owner, spec=command.spec, timestamp=context.now)
    return (await deps.tasks.add(new, context)).view()


async def replace_task(deps: Deps, command: ReplaceTask, context: RequestContext) -> TaskView:
    task = await deps.tasks.load(command.id, command.actor)
    owner = task.user_id if command.owner is None else owner_for(command.actor, command.owner)
    if not deps.tasks.has_carried_out(task, context):
        check_times(command.spec)
        await _check_references(deps, command.actor, command.spec)
    changed = await deps.tasks.change(
        command,
        context,
        lambda task: task.replace(user_id=owner, spec=command.spec, timestamp=context.now),
    )
    return changed.view()


async def remove_task(deps: Deps, command: RemoveTask, context: RequestContext) -> None:
    await deps.tasks.change(command, context, lambda task: task.remove(timestamp=context.now))


async def get_task(deps: Deps, query: GetTask, _context: RequestContext) -> TaskView:
    return (await deps.tasks.load(query.id, query.actor)).view()


async def list_tasks(deps: Deps, query: ListTasks, _context: RequestContext) -> Page[TaskView]:
    await deps.view.catch_up()
    return deps.view.tasks.page(query.actor, name=query.name, limit=query.limit, cursor=query.cursor)


async def find_tasks_using_file(
    deps: Deps, query: FindTasksUsingFile, _context: RequestContext
) -> Sequence[UUID]:
    await deps.view.catch_up()
    users = deps.view.tasks_with_file(query.file_id)
    return [task.id for task in users if query.actor.may_see(task.user_id)]


async def _check_references(deps: Deps, actor: Actor, spec: TaskSpec) -> None:
    """Raise InvalidError naming every reference of the task that the actor cannot see."""
    if spec.ignore_exclusions and not actor.emergency:
        raise ForbiddenError("ignoreExclusions needs a token with the permission emergency")
    if spec.ignore_contact_limits and not actor.emergency:
        raise ForbiddenError("ignoreContactLimits needs a token with the permission emergency")
    problems = []
    repeat_count = 1
    try:
        repeat_count = (await deps.settings.load(spec.settings, actor)).spec.repeat_count
    except NotFoundError:
        problems.append(f"settings: there are no notification settings {spec.settings}")
    unknown = [group for group in spec.groups if not await _exists(deps.groups, group, actor)]
    if unknown:
        problems.append(f"groups: there is no subscriber group {_listed(unknown)}")
    lists = [
        each for each in spec.exclusion_lists or () if not await _exists(deps.exclusion_lists, each, actor)
    ]
    if lists:
        problems.append(f"exclusionLists: there is no exclusion list {_listed(lists)}")
    try:
        files = await deps.audio.files(actor, spec.files)
        check_duration(files, repeat_count, max_seconds=deps.config.limits.audio_seconds)
    except InvalidError as error:
        problems.append(error.message)
    allowed = {caller for station in deps.config.stations for caller in station.caller_ids}
    if spec.caller_id is not None and spec.caller_id not in allowed:
        problems.append(f"callerId: no station has {spec.caller_id!r} among its callerIds")
    if problems:
        raise InvalidError("; ".join(problems))


async def _exists(
    kind: Resources[SubscriberGroup] | Resources[ExclusionList], resource_id: UUID, actor: Actor
) -> bool:
    try:
        await kind.load(resource_id, actor)
    except NotFoundError:
        return False
    return True


def _listed(ids: Iterable[UUID]) -> str:
    return ", ".join(str(each) for each in ids)
