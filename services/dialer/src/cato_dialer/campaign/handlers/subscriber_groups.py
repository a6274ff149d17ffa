"""Commands and queries on groups of subscribers."""

import asyncio
import hashlib
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from cato_contracts.campaign_commands import (
    AddSubscriberGroup,
    GetSubscriberGroup,
    ListFormat,
    ListSubscriberGroups,
    LocateSubscribers,
    RemoveSubscriberGroup,
    ReplaceSubscriberGroup,
)
from cato_contracts.errors import ConflictError, InvalidError
from cato_contracts.ids import derived_id
from cato_contracts.model import Name
from cato_contracts.objects import Bucket, ObjectRef
from cato_contracts.resources import Page
from cato_contracts.resources import SubscriberGroup as SubscriberGroupView
from cato_dialer.campaign.domain.catalog.ownership import command_digest
from cato_dialer.campaign.domain.catalog.subscriber_group import SubscriberGroup
from cato_dialer.campaign.domain.catalog.subscriber_list import contacts
from cato_dialer.campaign.handlers.catalog import Repositories, add, change, made_before, visible
from cato_dialer.campaign.handlers.catalog_view import CatalogView
from cato_runtime.objects import ObjectMissingError, ObjectStore
from cato_runtime.requests import RequestContext, RequestTable

WHAT = SubscriberGroup.WHAT

_NAME: TypeAdapter[str] = TypeAdapter(Name)


class SubscriberGroupHandlers:
    """What is done with groups; `limit` bounds the subscribers in one."""

    def __init__(
        self, repositories: Repositories, view: CatalogView, objects: ObjectStore, limit: int
    ) -> None:
        self._groups = repositories.groups
        self._view = view
        self._objects = objects
        self._limit = limit

    def register(self, table: RequestTable) -> None:
        table.add(AddSubscriberGroup, self.add)
        table.add(ReplaceSubscriberGroup, self.replace)
        table.add(RemoveSubscriberGroup, self.remove)
        table.add(GetSubscriberGroup, self.get)
        table.add(LocateSubscribers, self.locate)
        table.add(ListSubscriberGroups, self.list)

    async def add(self, command: AddSubscriberGroup, context: RequestContext) -> SubscriberGroupView:
        name = _checked_name(command.name)
        group_id = derived_id(SubscriberGroup.TOPIC, command.actor.user_id, context.command_id)
        upload = await self._digested(command.upload)
        digest = command_digest(command, upload)
        if (made := await made_before(self._groups, WHAT, group_id, context, digest)) is not None:
            return made.view()
        subscribers, count = await self._kept(upload, command.format, group_id, context)
        new = SubscriberGroup.add(
            group_id,
            user_id=command.actor.user_id,
            name=name,
            subscribers=subscribers,
            subscriber_count=count,
            command_id=context.command_id,
            digest=digest,
            timestamp=context.now,
        )
        return (await add(self._groups, new, context, digest)).view()

    async def replace(self, command: ReplaceSubscriberGroup, context: RequestContext) -> SubscriberGroupView:
        group = await visible(self._groups, WHAT, command.id, command.actor)
        upload = await self._digested(command.upload)
        if context.command_id in group.digests:
            group.check_same_command(context.command_id, command_digest(command, upload))
            return group.view()
        group.check_version(command.if_version)  # and once more when it is decided, but now nothing is stored
        subscribers, count = await self._kept(upload, command.format, command.id, context)
        replaced: ObjectRef | None = None

        def decide(group: SubscriberGroup, digest: str) -> None:
            nonlocal replaced
            replaced = group.subscribers
            group.replace(
                subscribers=subscribers,
                subscriber_count=count,
                command_id=context.command_id,
                digest=digest,
                timestamp=context.now,
            )

        group = await change(self._groups, WHAT, command.id, command, context, decide, upload=upload)
        if replaced is not None and replaced.name != group.subscribers.name:
            await self._objects.remove(replaced)
        return group.view()

    async def remove(self, command: RemoveSubscriberGroup, context: RequestContext) -> None:
        await self._view.fresh()

        def decide(group: SubscriberGroup, digest: str) -> None:
            users = self._view.tasks_with_group(group.id)
            if users:
                raise ConflictError(
                    f"the group is used by the task {users[0].name!r}", resource_id=str(users[0].id)
                )
            group.remove(command_id=context.command_id, digest=digest, timestamp=context.now)

        group = await change(self._groups, WHAT, command.id, command, context, decide)
        await self._objects.remove(group.subscribers)

    async def get(self, query: GetSubscriberGroup, _context: RequestContext) -> SubscriberGroupView:
        return (await visible(self._groups, WHAT, query.id, query.actor)).view()

    async def locate(self, query: LocateSubscribers, _context: RequestContext) -> ObjectRef:
        return (await visible(self._groups, WHAT, query.id, query.actor)).subscribers

    async def list(self, query: ListSubscriberGroups, _context: RequestContext) -> Page[SubscriberGroupView]:
        await self._view.fresh()
        return self._view.groups.page(query.actor, name=query.name, limit=query.limit, cursor=query.cursor)

    async def _digested(self, upload: ObjectRef) -> ObjectRef:
        """Return the reference with the digest of what it refers to."""
        if upload.sha256 is not None:
            return upload
        content = await self._content(upload)
        return upload.model_copy(update={"sha256": hashlib.sha256(content).hexdigest()})

    async def _kept(
        self, upload: ObjectRef, form: ListFormat, group_id: UUID, context: RequestContext
    ) -> tuple[ObjectRef, int]:
        """Judge the upload and store its list; returns where it is and its length."""
        content = await self._content(upload)
        lines, count = await asyncio.to_thread(contacts, content, form, group_id, self._limit)
        # A name for this command and this content alone: nothing that is in use is ever overwritten.
        name = f"group/{group_id}/{derived_id(context.command_id, form, upload.sha256)}"
        return await self._objects.put(Bucket.LISTS, name, lines), count

    async def _content(self, upload: ObjectRef) -> bytes:
        try:
            return await self._objects.get(upload)
        except ObjectMissingError as error:
            raise InvalidError("the uploaded list is no longer there; send it again") from error


def _checked_name(name: str) -> str:
    try:
        return _NAME.validate_python(name)
    except ValidationError as error:
        reason = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
        raise InvalidError(f"name: {reason}") from error
