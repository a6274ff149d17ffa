"""Commands and queries on pacing rules. They concern all users, so only administrators change them."""

from cato_contracts.api.resources import Page
from cato_contracts.api.rules.pacing import (
    MAX_RULES,
    GetPacingRule,
    ListPacingRules,
    PacingRule,
    PutPacingRule,
    RemovePacingRule,
)
from cato_contracts.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from cato_contracts.requests import Actor
from cato_dialer.campaign.handlers.deps import Deps
from cato_runtime.requests import RequestContext


async def put_pacing_rule(deps: Deps, command: PutPacingRule, _context: RequestContext) -> PacingRule:
    """Store a rule; dialers apply it to the calls that begin from then on.

    Raises:
        ForbiddenError: if the actor is no administrator.
        ConflictError: if another rule has one of the prefixes for the same station.
        InvalidError: if the station is not known, or there are too many rules.

    """
    _check_admin(command.actor)
    rule = command.rule
    if rule.station_id is not None and all(rule.station_id != one.id for one in deps.config.stations):
        raise InvalidError(f"there is no station {rule.station_id}")
    others = [other for other in await deps.pacing.all() if other.name != rule.name]
    for other in others:
        shared = set(rule.prefixes).intersection(other.prefixes)
        if shared and other.station_id == rule.station_id:
            raise ConflictError(f"the rule {other.name!r} has the prefix {min(shared)}, too")
    if len(others) >= MAX_RULES:
        raise InvalidError(f"there are at most {MAX_RULES} pacing rules")
    await deps.pacing.put(rule)
    return rule


async def remove_pacing_rule(deps: Deps, command: RemovePacingRule, _context: RequestContext) -> None:
    """Remove a rule. Raises ForbiddenError, and NotFoundError if there is none with this name."""
    _check_admin(command.actor)
    if await deps.pacing.get(command.name) is None:
        raise _unknown(command.name)
    await deps.pacing.remove(command.name)


async def get_pacing_rule(deps: Deps, query: GetPacingRule, _context: RequestContext) -> PacingRule:
    """Return a rule. Raises NotFoundError if there is none with this name."""
    rule = await deps.pacing.get(query.name)
    if rule is None:
        raise _unknown(query.name)
    return rule


async def list_pacing_rules(
    deps: Deps, _query: ListPacingRules, _context: RequestContext
) -> Page[PacingRule]:
    return Page[PacingRule](items=sorted(await deps.pacing.all(), key=lambda rule: rule.name))


def _check_admin(actor: Actor) -> None:
    if not actor.admin:
        raise ForbiddenError("pacing rules concern all users: the permission admin is needed")


def _unknown(name: str) -> NotFoundError:
    return NotFoundError(f"there is no pacing rule {name!r}", resource_id=name)
