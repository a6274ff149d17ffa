"""Commands and queries on limits of contacts: each user has some, and so has the system."""

from cato_contracts.api.rules.contacts import ContactLimitsOwner, StoredContactLimits
from cato_contracts.errors import ForbiddenError, NotFoundError
from cato_contracts.messages.contact_commands import (
    GetContactLimits,
    PutContactLimits,
    RemoveContactLimits,
)
from cato_contracts.requests import Actor
from cato_dialer.campaign.handlers.deps import Deps
from cato_runtime.requests import RequestContext


async def put_contact_limits(
    deps: Deps, command: PutContactLimits, _context: RequestContext
) -> StoredContactLimits:
    """Store limits; dialers apply them to the calls that begin from then on.

    Raises:
        ForbiddenError: if they are those of the system, and the actor is no administrator.

    """
    _check_may_change(command.actor, command.scope)
    stored = StoredContactLimits(
        scope=command.scope,
        user_id=_user(command.actor, command.scope),
        **dict(command.limits),
    )
    await deps.contact_limits.put(stored)
    return stored


async def remove_contact_limits(deps: Deps, command: RemoveContactLimits, _context: RequestContext) -> None:
    """Remove limits. Raises ForbiddenError, and NotFoundError if there are none."""
    _check_may_change(command.actor, command.scope)
    user_id = _user(command.actor, command.scope)
    if await deps.contact_limits.get(user_id) is None:
        raise _unknown(command.scope)
    await deps.contact_limits.remove(user_id)


async def get_contact_limits(
    deps: Deps, query: GetContactLimits, _context: RequestContext
) -> StoredContactLimits:
    """Return limits. Raises NotFoundError if there are none."""
    stored = await deps.contact_limits.get(_user(query.actor, query.scope))
    if stored is None:
        raise _unknown(query.scope)
    return stored


def _user(actor: Actor, scope: ContactLimitsOwner) -> str | None:
    return None if scope is ContactLimitsOwner.SYSTEM else actor.user_id


def _check_may_change(actor: Actor, scope: ContactLimitsOwner) -> None:
    if scope is ContactLimitsOwner.SYSTEM and not actor.admin:
        raise ForbiddenError("limits of the system concern all users: the permission admin is needed")


def _unknown(scope: ContactLimitsOwner) -> NotFoundError:
    if scope is ContactLimitsOwner.SYSTEM:
        return NotFoundError("the system has no limits of contacts")
    return NotFoundError("you have no limits of contacts")
