"""Commands and queries on notification settings."""

from cato_contracts.campaign_commands import (
    AddNotificationSettings,
    GetNotificationSettings,
    ListNotificationSettings,
    RemoveNotificationSettings,
    ReplaceNotificationSettings,
)
from cato_contracts.errors import ConflictError
from cato_contracts.ids import derived_id
from cato_contracts.resources import NotificationSettings as NotificationSettingsView
from cato_contracts.resources import Page
from cato_dialer.campaign.domain.catalog.notification_settings import NotificationSettings
from cato_dialer.campaign.domain.catalog.ownership import command_digest, owner_for
from cato_dialer.campaign.handlers.catalog import Repositories, add, change, visible
from cato_dialer.campaign.handlers.catalog_view import CatalogView
from cato_runtime.requests import RequestContext, RequestTable

WHAT = NotificationSettings.WHAT


class SettingsHandlers:
    """What is done with notification settings."""

    def __init__(self, repositories: Repositories, view: CatalogView) -> None:
        self._settings = repositories.settings
        self._view = view

    def register(self, table: RequestTable) -> None:
        table.add(AddNotificationSettings, self.add)
        table.add(ReplaceNotificationSettings, self.replace)
        table.add(RemoveNotificationSettings, self.remove)
        table.add(GetNotificationSettings, self.get)
        table.add(ListNotificationSettings, self.list)

    async def add(
        self, command: AddNotificationSettings, context: RequestContext
    ) -> NotificationSettingsView:
        digest = command_digest(command)
        new = NotificationSettings.add(
            derived_id(NotificationSettings.TOPIC, command.actor.user_id, context.command_id),
            user_id=owner_for(command.actor, command.owner),
            spec=command.spec,
            command_id=context.command_id,
            digest=digest,
            timestamp=context.now,
        )
        return (await add(self._settings, new, context, digest)).view()

    async def replace(
        self, command: ReplaceNotificationSettings, context: RequestContext
    ) -> NotificationSettingsView:
        def decide(settings: NotificationSettings, digest: str) -> None:
            owner = settings.user_id if command.owner is None else owner_for(command.actor, command.owner)
            settings.replace(
                user_id=owner,
                spec=command.spec,
                command_id=context.command_id,
                digest=digest,
                timestamp=context.now,
            )

        return (await change(self._settings, WHAT, command.id, command, context, decide)).view()

    async def remove(self, command: RemoveNotificationSettings, context: RequestContext) -> None:
        await self._view.fresh()

        def decide(settings: NotificationSettings, digest: str) -> None:
            users = self._view.tasks_with_settings(settings.id)
            if users:
                raise ConflictError(
                    f"the notification settings are used by the task {users[0].name!r}",
                    resource_id=str(users[0].id),
                )
            settings.remove(command_id=context.command_id, digest=digest, timestamp=context.now)

        await change(self._settings, WHAT, command.id, command, context, decide)

    async def get(self, query: GetNotificationSettings, _context: RequestContext) -> NotificationSettingsView:
        return (await visible(self._settings, WHAT, query.id, query.actor)).view()

    async def list(
        self, query: ListNotificationSettings, _context: RequestContext
    ) -> Page[NotificationSettingsView]:
        await self._view.fresh()
        return self._view.settings.page(query.actor, name=query.name, limit=query.limit, cursor=query.cursor)
