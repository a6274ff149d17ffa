"""Which commands are changes for the audit log, and how a change is recorded."""

import re
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel

from cato_contracts.api.exports import BeginCallExport, BeginSubscriberExport, EndCallExport, TakeExportPiece
from cato_contracts.api.rules.pacing import GetPacingRule, PutPacingRule, RemovePacingRule
from cato_contracts.envelope import Envelope
from cato_contracts.errors import NotFoundError
from cato_contracts.messages.audio_commands import GetAudioFile, RemoveAudioFile
from cato_contracts.messages.audit import ChangeMade
from cato_contracts.messages.campaign_commands import (
    GetNotificationSettings,
    GetSubscriberGroup,
    GetTask,
    RemoveNotificationSettings,
    RemoveSubscriberGroup,
    RemoveTask,
    ReplaceNotificationSettings,
    ReplaceSubscriberGroup,
    ReplaceTask,
)
from cato_contracts.messages.contact_commands import (
    GetContactLimits,
    PutContactLimits,
    RemoveContactLimits,
)
from cato_contracts.messages.exclusion_commands import GetExclusionList, ReadmitNumber, RemoveExclusionList
from cato_contracts.messages.sip_traces import GetSipTrace, PutSipTrace, RemoveSipTrace
from cato_contracts.requests import Command, Query, Request
from cato_gateway.ports import Asker

_READINGS = (BeginCallExport, BeginSubscriberExport, TakeExportPiece, EndCallExport)
"""Commands that change nothing which users see."""

_BY_ID: dict[type[Request[Any]], type[Query[Any]]] = {
    ReplaceTask: GetTask,
    RemoveTask: GetTask,
    ReplaceNotificationSettings: GetNotificationSettings,
    RemoveNotificationSettings: GetNotificationSettings,
    ReplaceSubscriberGroup: GetSubscriberGroup,
    RemoveSubscriberGroup: GetSubscriberGroup,
    RemoveAudioFile: GetAudioFile,
    RemoveExclusionList: GetExclusionList,
}
"""How the resource is read that a command replaces or removes."""

_STORAGE = frozenset({"content", "subscribers"})
"""Fields that say where a content is stored."""


def is_change(request: Request[Any]) -> bool:
    """Return whether a request is recorded: a new kind of command is, without being named here."""
    return isinstance(request, Command) and not isinstance(request, _READINGS)


async def resource_before(
    asker: Asker, command: Request[Any], *, correlation_id: str
) -> dict[str, Any] | None:
    """Return the resource that a command is about to change, None if it is new or not one that is replaced.

    Raises:
        RefusedError: as `Asker.ask`, but for a resource that there is not.

    """
    if isinstance(command, ReadmitNumber):
        return {"number": command.number}
    query = _query_of(command)
    if query is None:
        return None
    try:
        return _fields(await asker.ask(query, correlation_id=correlation_id))
    except NotFoundError:
        return None


def change_made(
    command: Request[Any], command_id: str, request_id: str, before: dict[str, Any] | None, answer: object
) -> Envelope[ChangeMade]:
    """Return the record of a command that was carried out."""
    after = _fields(answer)
    body = ChangeMade(
        user_id=command.actor.user_id,
        admin=command.actor.admin,
        operation=re.sub(r"(?<!^)(?=[A-Z])", "_", type(command).__name__).lower(),
        resource_id=_resource_id(command, after),
        before=before,
        after=after,
    )
    return Envelope[ChangeMade].wrap(
        body, event_id=command_id, occurred_at=datetime.now(UTC), correlation_id=request_id
    )


def _query_of(command: Request[Any]) -> Query[Any] | None:
    if isinstance(command, PutPacingRule):
        return GetPacingRule(actor=command.actor, name=command.rule.name)
    if isinstance(command, PutContactLimits | RemoveContactLimits):
        return GetContactLimits(actor=command.actor, scope=command.scope)
    if isinstance(command, PutSipTrace | RemoveSipTrace):
        return GetSipTrace(actor=command.actor, name=command.name)
    if isinstance(command, RemovePacingRule):
        return GetPacingRule(actor=command.actor, name=command.name)
    kind = _BY_ID.get(type(command))
    return None if kind is None else kind.model_validate({"actor": command.actor, "id": command.id})  # type: ignore[attr-defined]


def _fields(answer: object) -> dict[str, Any] | None:
    """Return a resource as clients know it."""
    if not isinstance(answer, BaseModel):
        return None
    fields = answer.model_dump(mode="json", by_alias=True)
    return {name: value for name, value in fields.items() if name not in _STORAGE}


def _resource_id(command: Request[Any], after: dict[str, Any] | None) -> str | None:
    for source in (after or {}, command.model_dump(mode="json")):
        for name in ("id", "taskExecId", "name"):
            if source.get(name):
                return str(source[name])
    return None
