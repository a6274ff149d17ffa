"""The owner, the visibility and the version of a resource: the same for every aggregate of the catalog."""

from datetime import datetime
from typing import Any
from uuid import UUID

from eventsourcing.domain import Aggregate

from cato_contracts.errors import ForbiddenError, NotFoundError, PreconditionFailedError
from cato_contracts.requests import Actor


class CatalogEvent(Aggregate.Event):
    """Version 1 held the command's id and digest; the commit holds the id, and the gateway the digest."""

    class_version = 2

    @staticmethod
    def upcast_v1_v2(state: dict[str, Any]) -> None:
        del state["command_id"], state["digest"]


class CatalogCreated(Aggregate.Created, CatalogEvent):
    """The first event of a resource."""


class CatalogResource:
    """The common part of the aggregates: an owner, a version, and a removal that keeps the commits."""

    WHAT = "resource"

    class_version = 2

    id: UUID
    version: int
    created_on: datetime
    user_id: str
    removed: bool

    @staticmethod
    def upcast_v1_v2(state: dict[str, Any]) -> None:
        """Drop the digests of recent commands, as in `CatalogEvent`."""
        del state["digests"]

    def check_visible(self, actor: Actor) -> None:
        """Raise NotFoundError if there is no such resource for this actor."""
        if self.removed or not actor.may_see(self.user_id):
            raise not_found(self.WHAT, self.id)

    def check_version(self, wanted: list[int] | None) -> None:
        """Raise PreconditionFailedError if the change is meant for other versions than this one."""
        if wanted is not None and self.version not in wanted:
            raise PreconditionFailedError(
                f"the {self.WHAT} was changed in the meantime: read it again", resource_id=str(self.id)
            )


def owner_for(actor: Actor, wanted: str | None) -> str:
    """Return the user that a new resource belongs to.

    Raises:
        ForbiddenError: if that is another user and the actor is not an administrator.

    """
    if wanted is None or wanted == actor.user_id:
        return actor.user_id
    if not actor.admin:
        raise ForbiddenError(f"only an administrator may give the userId of another user ({wanted!r})")
    return wanted


def not_found(what: str, resource_id: UUID) -> NotFoundError:
    return NotFoundError(f"there is no {what} {resource_id}", resource_id=str(resource_id))
