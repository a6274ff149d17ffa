"""Commands and queries on groups of subscribers."""

from pydantic import TypeAdapter, ValidationError

from cato_contracts.api.resources import Page
from cato_contracts.api.resources import SubscriberGroup as SubscriberGroupView
from cato_contracts.api.rules.duplicates import ListDuplicates
from cato_contracts.errors import ConflictError, InvalidError
from cato_contracts.ids import derived_id
from cato_contracts.messages.campaign_commands import (
    AddSubscriberGroup,
    CheckSubscriberList,
    GetSubscriberGroup,
    ListSubscriberGroups,
    LocateSubscribers,
    RemoveSubscriberGroup,
    ReplaceSubscriberGroup,
    SubscriberListCheck,
)
from cato_contracts.model import Name
from cato_contracts.objects import ObjectRef
from cato_dialer.campaign.domain.catalog.subscriber_group import SubscriberGroup
from cato_dialer.campaign.handlers.deps import Deps
from cato_runtime.requests import RequestContext

_NAME: TypeAdapter[str] = TypeAdapter(Name)


async def add_subscriber_group(
    deps: Deps, command: AddSubscriberGroup, context: RequestContext
) -> SubscriberGroupView:
    name = _checked_name(command.name)
    group_id = derived_id(SubscriberGroup.TOPIC, command.actor.user_id, context.command_id)
    # A repeated command succeeds even if its upload has been removed since.
    if (added := await deps.groups.find(group_id)) is not None:
        return _view(added, await deps.lists.duplicates_of(added.subscribers))
    stored = await deps.lists.store(command, group_id, context)
    new = SubscriberGroup.add(
        group_id,
        user_id=command.actor.user_id,
        name=name,
        subscribers=stored.subscribers,
        subscriber_count=stored.count,
        timestamp=context.now,
    )
    return _view(await deps.groups.add(new, context), stored.duplicates)


async def replace_subscriber_group(
    deps: Deps, command: ReplaceSubscriberGroup, context: RequestContext
) -> SubscriberGroupView:
    group = await deps.groups.load(command.id, command.actor)
    if deps.groups.has_carried_out(group, context):
        return _view(group, await deps.lists.duplicates_of(group.subscribers))
    # Checked again when the change is decided; here, because nothing has been stored yet.
    group.check_version(command.if_version)
    stored = await deps.lists.store(command, command.id, context)
    replaced: ObjectRef | None = None

    def decide(group: SubscriberGroup) -> None:
        nonlocal replaced
        replaced = group.subscribers
        group.replace(subscribers=stored.subscribers, subscriber_count=stored.count, timestamp=context.now)

    group = await deps.groups.change(command, context, decide)
    if replaced is not None and replaced.name != group.subscribers.name:
        await deps.objects.remove(replaced)
    return _view(group, stored.duplicates)


async def check_subscriber_list(
    deps: Deps, query: CheckSubscriberList, context: RequestContext
) -> SubscriberListCheck:
    return await deps.lists.check(query, context)


async def remove_subscriber_group(
    deps: Deps, command: RemoveSubscriberGroup, context: RequestContext
) -> None:
    """Remove a group that no task uses. Raises ConflictError if a task does."""
    await deps.view.catch_up()

    def decide(group: SubscriberGroup) -> None:
        users = deps.view.tasks_with_group(group.id)
        if users:
            raise ConflictError(
                f"the group is used by the task {users[0].name!r}", resource_id=str(users[0].id)
            )
        group.remove(timestamp=context.now)

    group = await deps.groups.change(command, context, decide)
    await deps.objects.remove(group.subscribers)


async def get_subscriber_group(
    deps: Deps, query: GetSubscriberGroup, _context: RequestContext
) -> SubscriberGroupView:
    return (await deps.groups.load(query.id, query.actor)).view()


async def locate_subscribers(deps: Deps, query: LocateSubscribers, _context: RequestContext) -> ObjectRef:
    return (await deps.groups.load(query.id, query.actor)).subscribers


async def list_subscriber_groups(
    deps: Deps, query: ListSubscriberGroups, _context: RequestContext
) -> Page[SubscriberGroupView]:
    await deps.view.catch_up()
    return deps.view.groups.page(query.actor, name=query.name, limit=query.limit, cursor=query.cursor)


def _view(group: SubscriberGroup, duplicates: ListDuplicates) -> SubscriberGroupView:
    """Return the group, with a warning if its list has duplicates."""
    found = duplicates if duplicates.persons or duplicates.numbers else None
    return group.view().model_copy(update={"duplicates": found})


def _checked_name(name: str) -> str:
    try:
        return _NAME.validate_python(name)
    except ValidationError as error:
        reason = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
        raise InvalidError(f"name: {reason}") from error
