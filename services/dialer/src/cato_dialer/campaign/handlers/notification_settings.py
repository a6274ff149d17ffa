"""Commands and queries on notification settings."""

import asyncio

from cato_contracts.api.resources import AudioFile, Page, SettingsSpec
from cato_contracts.api.resources import NotificationSettings as NotificationSettingsView
from cato_contracts.errors import ConflictError, InvalidError
from cato_contracts.ids import derived_id
from cato_contracts.messages.campaign_commands import (
    AddNotificationSettings,
    GetNotificationSettings,
    ListNotificationSettings,
    RemoveNotificationSettings,
    ReplaceNotificationSettings,
)
from cato_contracts.requests import Actor
from cato_dialer.campaign.domain.catalog.message import check_duration
from cato_dialer.campaign.domain.catalog.notification_settings import NotificationSettings
from cato_dialer.campaign.domain.catalog.ownership import owner_for
from cato_dialer.campaign.handlers.deps import Deps
from cato_runtime.requests import RequestContext


async def add_notification_settings(
    deps: Deps, command: AddNotificationSettings, context: RequestContext
) -> NotificationSettingsView:
    await _check_references(deps, command.actor, command.spec)
    new = NotificationSettings.add(
        derived_id(NotificationSettings.TOPIC, command.actor.user_id, context.command_id),
        user_id=owner_for(command.actor, command.owner),
        spec=command.spec,
        timestamp=context.now,
    )
    return (await deps.settings.add(new, context)).view()


async def replace_notification_settings(
    deps: Deps, command: ReplaceNotificationSettings, context: RequestContext
) -> NotificationSettingsView:
    await _check_references(deps, command.actor, command.spec)

    def decide(settings: NotificationSettings) -> None:
        owner = settings.user_id if command.owner is None else owner_for(command.actor, command.owner)
        settings.replace(user_id=owner, spec=command.spec, timestamp=context.now)

    return (await deps.settings.change(command, context, decide)).view()


async def _check_references(deps: Deps, actor: Actor, spec: SettingsSpec) -> None:
    """Raises InvalidError if there are no holidays of that country, or no such file for this actor."""
    await opt_out_files(deps, actor, spec)
    calendar = spec.holidays
    if calendar is not None and not await asyncio.to_thread(deps.calendars.is_known, calendar):
        raise InvalidError(f"holidays should be a country such as RU, or a part of one, not {calendar!r}")


async def opt_out_files(deps: Deps, actor: Actor, spec: SettingsSpec) -> list[AudioFile]:
    """Return the file that is played after `optOutKey`, if there is one.

    Raises:
        InvalidError: if the actor has no such file, or it is too long.

    """
    if spec.opt_out_file is None:
        return []
    try:
        files = await deps.audio.files(actor, [spec.opt_out_file])
        check_duration(files, 1, max_seconds=deps.config.limits.audio_seconds)
    except InvalidError as error:
        raise InvalidError(f"optOutFile: {error.message.removeprefix('files: ')}") from error
    return files


async def remove_notification_settings(
    deps: Deps, command: RemoveNotificationSettings, context: RequestContext
) -> None:
    """Remove settings that no task uses. Raises ConflictError if a task does."""
    await deps.view.catch_up()

    def decide(settings: NotificationSettings) -> None:
        users = deps.view.tasks_with_settings(settings.id)
        if users:
            raise ConflictError(
                f"the notification settings are used by the task {users[0].name!r}",
                resource_id=str(users[0].id),
            )
        settings.remove(timestamp=context.now)

    await deps.settings.change(command, context, decide)


async def get_notification_settings(
    deps: Deps, query: GetNotificationSettings, _context: RequestContext
) -> NotificationSettingsView:
    return (await deps.settings.load(query.id, query.actor)).view()


async def list_notification_settings(
    deps: Deps, query: ListNotificationSettings, _context: RequestContext
) -> Page[NotificationSettingsView]:
    await deps.view.catch_up()
    return deps.view.settings.page(query.actor, name=query.name, limit=query.limit, cursor=query.cursor)
