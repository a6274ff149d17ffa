"""The rules by which numbers may be called in memory, for tests."""

from cato_contracts.api.resources import Page
from cato_contracts.api.rules import pacing
from cato_contracts.api.rules.contacts import ContactLimitsOwner, StoredContactLimits
from cato_contracts.errors import ForbiddenError, NotFoundError
from cato_contracts.messages.contact_commands import (
    GetContactLimits,
    PutContactLimits,
    RemoveContactLimits,
)
from cato_runtime.requests import RequestContext, RequestTable


class MemoryPacingRules:
    """Answers the requests about pacing rules."""

    def __init__(self, table: RequestTable) -> None:
        self.rules: dict[str, pacing.PacingRule] = {}
        table.add(pacing.PutPacingRule, self._put)
        table.add(pacing.RemovePacingRule, self._remove)
        table.add(pacing.GetPacingRule, self._get)
        table.add(pacing.ListPacingRules, self._list)

    async def _put(self, command: pacing.PutPacingRule, _: RequestContext) -> pacing.PacingRule:
        if not command.actor.admin:
            raise ForbiddenError("the permission admin is needed")
        self.rules[command.rule.name] = command.rule
        return command.rule

    async def _remove(self, command: pacing.RemovePacingRule, _: RequestContext) -> None:
        if not command.actor.admin:
            raise ForbiddenError("the permission admin is needed")
        self._known(command.name)
        del self.rules[command.name]

    async def _get(self, query: pacing.GetPacingRule, _: RequestContext) -> pacing.PacingRule:
        return self._known(query.name)

    async def _list(self, _query: pacing.ListPacingRules, _: RequestContext) -> Page[pacing.PacingRule]:
        return Page[pacing.PacingRule](items=[self.rules[name] for name in sorted(self.rules)])

    def _known(self, name: str) -> pacing.PacingRule:
        if name not in self.rules:
            raise NotFoundError(f"there is no pacing rule {name!r}", resource_id=name)
        return self.rules[name]


class MemoryContactLimits:
    """Answers the requests about limits of contacts."""

    def __init__(self, table: RequestTable) -> None:
        self.limits: dict[str | None, StoredContactLimits] = {}
        table.add(PutContactLimits, self._put)
        table.add(RemoveContactLimits, self._remove)
        table.add(GetContactLimits, self._get)

    async def _put(self, command: PutContactLimits, _: RequestContext) -> StoredContactLimits:
        user = self._user(command)
        if user is None and not command.actor.admin:
            raise ForbiddenError("the permission admin is needed")
        self.limits[user] = StoredContactLimits(scope=command.scope, user_id=user, **dict(command.limits))
        return self.limits[user]

    async def _remove(self, command: RemoveContactLimits, _: RequestContext) -> None:
        user = self._user(command)
        if user is None and not command.actor.admin:
            raise ForbiddenError("the permission admin is needed")
        self._known(user)
        del self.limits[user]

    async def _get(self, query: GetContactLimits, _: RequestContext) -> StoredContactLimits:
        return self._known(self._user(query))

    @staticmethod
    def _user(request: PutContactLimits | RemoveContactLimits | GetContactLimits) -> str | None:
        return None if request.scope is ContactLimitsOwner.SYSTEM else request.actor.user_id

    def _known(self, user: str | None) -> StoredContactLimits:
        if user not in self.limits:
            raise NotFoundError("there are no limits of contacts")
        return self.limits[user]
