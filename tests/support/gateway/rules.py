"""The rules by which numbers may be called in memory, for tests."""

from cato_contracts.api.resources import Page
from cato_contracts.api.rules import pacing
from cato_contracts.errors import ForbiddenError, NotFoundError
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
