"""`/notification-settings`: the rules for calls (manual, 3.3)."""

from collections.abc import Mapping
from typing import Any, Self
from uuid import UUID

from fastapi import APIRouter
from pydantic import ConfigDict, Field, model_validator
from starlette.responses import Response

from cato_contracts.api.examples import SETTINGS_ID
from cato_contracts.api.resources import NotificationSettings, Page, SettingsSpec
from cato_contracts.messages.campaign_commands import (
    AddNotificationSettings,
    GetNotificationSettings,
    ListNotificationSettings,
    RemoveNotificationSettings,
    ReplaceNotificationSettings,
)
from cato_contracts.model import Name
from cato_gateway.http.conditional import IF_NONE_MATCH, WantedVersions
from cato_gateway.http.idempotency import IdempotencyKey
from cato_gateway.http.request_context import API, Reader, ResourceId, Writer, json_answer
from cato_gateway.openapi import responses
from cato_gateway.openapi.content import json_content, request_body
from cato_gateway.routes.parameters import Cursor, Limit, NamePart, check_id

router = APIRouter(
    prefix=f"{API}/notification-settings", tags=["notification settings"], responses=responses.COMMON
)

_SECONDS = ("attemptDelay", "successPlaybackDuration", "maxCallDuration", "maxAnswerDelay")
_EXAMPLE: dict[str, Any] = {
    "name": "profile_1",
    "attemptCount": 2,
    "attemptDelayS": 60,
    "successCondition": "PICKUP_PHONE",
    "successPlaybackDurationS": 5,
    "maxCallDurationS": 90,
    "maxAnswerDelayS": 30,
    "timeRestrictions": {"fromMin": 30, "fromHour": 8, "tillMin": 30, "tillHour": 18},
    "userId": "user",
}
_PLAYBACK_RULE: dict[str, Any] = {
    "if": {
        "properties": {"successCondition": {"const": "PICKUP_AND_LISTEN_SOME"}},
        "required": ["successCondition"],
    },
    "then": {"required": ["successPlaybackDurationS"]},
}


class SettingsBody(SettingsSpec):
    """Notification settings as a client sends them."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE], **_PLAYBACK_RULE})

    user_id: Name | None = None
    """The user that it belongs to: the token's own, or for administrators another one."""

    @model_validator(mode="before")
    @classmethod
    def _small_final_s(cls, data: object) -> object:
        """Accept the names as the manual's examples write them, too: `attemptDelays` for `attemptDelayS`."""
        if not isinstance(data, Mapping):
            return data
        fields = dict(data)
        for stem in _SECONDS:
            if f"{stem}s" in fields:
                if f"{stem}S" in fields:
                    msg = f"{stem}S and {stem}s are the same field; give only one of them"
                    raise ValueError(msg)
                fields[f"{stem}S"] = fields.pop(f"{stem}s")
        return fields

    def spec(self) -> SettingsSpec:
        return SettingsSpec.model_validate(self.model_dump(exclude={"user_id", "id"}, exclude_unset=True))


class ReplacedSettingsBody(SettingsBody):
    """A replacement. It may contain the `id`, so that a client can change an answer and send it back."""

    id: UUID | None = None
    """The id in the path, or absent."""


class SettingsView(SettingsSpec):
    """Notification settings as clients see them."""

    id: UUID = Field(examples=[SETTINGS_ID])
    """Chosen by the server."""

    user_id: str = Field(examples=["user"])
    """The user that it belongs to: the token's own, or for administrators another one."""

    @classmethod
    def of(cls, settings: NotificationSettings) -> Self:
        return cls.model_validate(settings.model_dump(exclude={"version"}))


class SettingsPage(Page[SettingsView]):
    """A page of notification settings."""


@router.post(
    "",
    response_model=SettingsView,
    responses=responses.created(
        "get_notification_settings", "replace_notification_settings", "remove_notification_settings"
    )
    | responses.errors(409, 413, 415),
    openapi_extra=request_body(json_content(SettingsBody)),
)
async def add_notification_settings(context: Writer, key: IdempotencyKey = None) -> Response:
    """Add notification settings. Names with a lower-case final `s`, as in the manual, are accepted, too."""
    body, digest = await context.body(SettingsBody)
    command = AddNotificationSettings(actor=context.actor, owner=body.user_id, spec=body.spec())
    return await context.carry_out(command, SettingsView.of, key=key, digest=digest)


@router.put(
    "/{id}",
    response_model=SettingsView,
    responses=responses.versioned() | responses.errors(404, 409, 412, 413, 415),
    openapi_extra=request_body(json_content(ReplacedSettingsBody)),
)
async def replace_notification_settings(
    context: Writer,
    id: ResourceId,  # noqa: A002
    if_version: WantedVersions,
    key: IdempotencyKey = None,
) -> Response:
    """Replace notification settings; a run in progress keeps the settings that it started with."""
    body, digest = await context.body(ReplacedSettingsBody)
    check_id(body.id, id)
    command = ReplaceNotificationSettings(
        actor=context.actor, id=id, owner=body.user_id, spec=body.spec(), if_version=if_version
    )
    return await context.carry_out(command, SettingsView.of, key=key, digest=digest)


@router.get("", response_model=SettingsPage)
async def list_notification_settings(
    context: Reader, limit: Limit = 100, cursor: Cursor = None, name: NamePart = None
) -> Response:
    """List notification settings."""
    query = ListNotificationSettings(actor=context.actor, name=name, limit=limit, cursor=cursor)
    found = await context.ask(query)
    items = [SettingsView.of(settings) for settings in found.items]
    return json_answer(SettingsPage(items=items, next_cursor=found.next_cursor))


@router.get(
    "/{id}",
    response_model=SettingsView,
    responses=responses.read_once() | responses.errors(404),
    dependencies=[IF_NONE_MATCH],
)
async def get_notification_settings(context: Reader, id: ResourceId) -> Response:  # noqa: A002
    """Get notification settings."""
    settings = await context.ask(GetNotificationSettings(actor=context.actor, id=id))
    return context.show(settings, SettingsView.of(settings))


@router.delete("/{id}", status_code=204, responses=responses.errors(404, 409, 412))
async def remove_notification_settings(
    context: Writer,
    id: ResourceId,  # noqa: A002
    if_version: WantedVersions,
) -> Response:
    """Remove notification settings that no task uses."""
    return await context.remove(RemoveNotificationSettings(actor=context.actor, id=id, if_version=if_version))
