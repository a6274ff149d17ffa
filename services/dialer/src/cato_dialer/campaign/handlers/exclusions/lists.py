"""Commands and queries on exclusion lists."""

import asyncio

from cato_contracts.api.resources import Page
from cato_contracts.api.rules.exclusions import ExclusionList as ExclusionListView
from cato_contracts.api.rules.exclusions import ExclusionScope
from cato_contracts.errors import ConflictError, InvalidError
from cato_contracts.ids import derived_id
from cato_contracts.messages.exclusion_commands import (
    AddExclusionList,
    GetExclusionList,
    ListExclusionLists,
    RemoveExclusionList,
)
from cato_contracts.objects import Bucket
from cato_dialer.campaign.domain.catalog.exclusion_list import ExclusionList, check_scope
from cato_dialer.campaign.domain.lists.read_exclusions import read_exclusions
from cato_dialer.campaign.handlers.deps import Deps
from cato_dialer.campaign.handlers.exclusions.barrier import await_dialers
from cato_runtime.objects import ObjectMissingError
from cato_runtime.requests import RequestContext


async def add_exclusion_list(
    deps: Deps, command: AddExclusionList, context: RequestContext
) -> ExclusionListView:
    check_scope(command.scope, command.actor)
    list_id = derived_id(ExclusionList.TOPIC, command.actor.user_id, context.command_id)
    # A repeated command succeeds even if its upload has been removed since.
    added = await deps.exclusion_lists.find(list_id)
    if added is None:
        added = await deps.exclusion_lists.add(await _new_list(deps, command, context), context)
    sequence = deps.exclusion_lists.sequence(added)
    await await_dialers(deps.readings, sequence, "the exclusion list")
    await deps.excluded.catch_up()
    return view_of(deps, added)


async def _new_list(deps: Deps, command: AddExclusionList, context: RequestContext) -> ExclusionList:
    list_id = derived_id(ExclusionList.TOPIC, command.actor.user_id, context.command_id)
    try:
        content = await deps.objects.get(command.upload)
    except ObjectMissingError as error:
        raise InvalidError("the uploaded list is no longer there; send it again") from error
    numbers = await asyncio.to_thread(
        read_exclusions,
        content,
        command.format,
        command.charset,
        limit=deps.config.limits.exclusion_list_size,
        canonical=deps.excluded.book.canonical,
    )
    stored = await asyncio.to_thread(numbers.to_bytes)
    # Named after the command, so numbers that are in use are never overwritten.
    name = f"exclusions/{list_id}/{derived_id(context.command_id)}"
    return ExclusionList.add(
        list_id,
        user_id=command.actor.user_id,
        name=command.name,
        scope=command.scope,
        numbers=await deps.objects.put(Bucket.LISTS, name, stored),
        timestamp=context.now,
    )


async def remove_exclusion_list(deps: Deps, command: RemoveExclusionList, context: RequestContext) -> None:
    """Remove a list that no task names. Raises ConflictError if a task does."""
    await deps.view.catch_up()

    def decide(exclusions: ExclusionList) -> None:
        exclusions.check_changeable(command.actor)
        if users := deps.view.tasks_with_exclusions(exclusions.id):
            raise ConflictError(
                f"the exclusion list is used by the task {users[0].name!r}", resource_id=str(users[0].id)
            )
        exclusions.remove(timestamp=context.now)

    removed = await deps.exclusion_lists.change(command, context, decide)
    await deps.objects.remove(removed.numbers)


async def get_exclusion_list(
    deps: Deps, query: GetExclusionList, _context: RequestContext
) -> ExclusionListView:
    found = await deps.exclusion_lists.load(query.id, query.actor)
    await deps.excluded.catch_up()
    return view_of(deps, found)


async def list_exclusion_lists(
    deps: Deps, query: ListExclusionLists, _context: RequestContext
) -> Page[ExclusionListView]:
    await deps.view.catch_up()
    await deps.excluded.catch_up()
    page = deps.view.exclusion_lists.page(
        query.actor,
        name=query.name,
        limit=query.limit,
        cursor=query.cursor,
        shared=lambda one: one.scope is ExclusionScope.SYSTEM,
    )
    return Page(items=[view_of(deps, one) for one in page.items], next_cursor=page.next_cursor)


def view_of(deps: Deps, exclusions: ExclusionList) -> ExclusionListView:
    """Return a list as clients see it."""
    numbers = deps.excluded.book.numbers(exclusions.id)
    return ExclusionListView(
        id=exclusions.id,
        name=exclusions.name,
        user_id=exclusions.user_id,
        scope=exclusions.scope,
        number_count=0 if numbers is None else len(numbers),
        created_at=exclusions.created_on,
        version=exclusions.version,
    )
