"""`/notification-settings`: how people are called (manual, 3.3)."""

from fastapi import APIRouter
from starlette.responses import Response

from cato_contracts.campaign_commands import (
    AddNotificationSettings,
    GetNotificationSettings,
    ListNotificationSettings,
    RemoveNotificationSettings,
    ReplaceNotificationSettings,
)
from cato_gateway.http.conditional import wanted_versions
from cato_gateway.http.request_context import API, Reader, ResourceId, Writer, json_answer
from cato_gateway.openapi import documented, examples
from cato_gateway.routes.parameters import Cursor, Limit, NamePart
from cato_gateway.routes.views import ReplacedSettingsBody, SettingsBody, SettingsPage, SettingsView, same_id

router = APIRouter(prefix=f"{API}/notification-settings", tags=["notification settings"])


@router.post(
    "",
    response_model=SettingsView,
    responses=documented.refusals(400, 409, 413, 415),
    openapi_extra=documented.json_body(SettingsBody, examples.SETTINGS),
)
async def add_notification_settings(call: Writer) -> Response:
    """Add notification settings. The names of the manual's examples with a small final `s` are taken, too."""
    body, digest = await call.body(SettingsBody)
    command = AddNotificationSettings(actor=call.actor, owner=body.user_id, spec=body.spec())
    return await call.carry_out(command, SettingsView.of, digest=digest)


@router.put(
    "/{id}",
    response_model=SettingsView,
    responses=documented.refusals(400, 404, 409, 413, 415),
    openapi_extra=documented.json_body(ReplacedSettingsBody, examples.SETTINGS),
)
async def replace_notification_settings(call: Writer, id: ResourceId) -> Response:  # noqa: A002
    """Replace notification settings; a run that is under way goes on with those it began with."""
    body, digest = await call.body(ReplacedSettingsBody)
    same_id(body.id, id)
    command = ReplaceNotificationSettings(
        actor=call.actor,
        id=id,
        owner=body.user_id,
        spec=body.spec(),
        if_version=wanted_versions(call.request),
    )
    return await call.carry_out(command, SettingsView.of, digest=digest)


@router.get("", response_model=SettingsPage, responses=documented.refusals(400))
async def list_notification_settings(
    call: Reader, limit: Limit = 100, cursor: Cursor = None, name: NamePart = None
) -> Response:
    """List notification settings."""
    query = ListNotificationSettings(actor=call.actor, name=name, limit=limit, cursor=cursor)
    found = await call.ask(query)
    items = [SettingsView.of(settings) for settings in found.items]
    return json_answer(SettingsPage(items=items, next_cursor=found.next_cursor))


@router.get("/{id}", response_model=SettingsView, responses=documented.refusals(404))
async def get_notification_settings(call: Reader, id: ResourceId) -> Response:  # noqa: A002
    """Get notification settings."""
    settings = await call.ask(GetNotificationSettings(actor=call.actor, id=id))
    return call.show(settings, SettingsView.of(settings))


@router.delete("/{id}", status_code=204, responses=documented.refusals(404, 409))
async def remove_notification_settings(call: Writer, id: ResourceId) -> Response:  # noqa: A002
    """Remove notification settings that no task uses."""
    return await call.remove(
        RemoveNotificationSettings(actor=call.actor, id=id, if_version=wanted_versions(call.request))
    )
