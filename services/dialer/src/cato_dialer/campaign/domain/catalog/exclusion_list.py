"""A list of numbers that are not called. The numbers are in the events, not in the state."""

from datetime import datetime
from typing import Self
from uuid import UUID

from eventsourcing.domain import Aggregate, event

from cato_contracts.api.rules.exclusions import ExclusionScope
from cato_contracts.errors import ForbiddenError
from cato_contracts.objects import ObjectRef
from cato_contracts.requests import Actor
from cato_dialer.campaign.domain.catalog.ownership import CatalogResource, not_found


class ExclusionList(CatalogResource, Aggregate):
    """`numbers` refers to the numbers that the list was added with; all later changes are events."""

    TOPIC = "exclusion-list"
    WHAT = "exclusion list"

    class_version = 1

    class Created(Aggregate.Created):
        TOPIC = "exclusion-list-added"
        user_id: str
        name: str
        scope: ExclusionScope
        numbers: ObjectRef

    class NumberPut(Aggregate.Event):
        TOPIC = "exclusion-list-number-put"
        number: str
        reason: str | None
        expires_at: datetime | None
        call_id: UUID | None

    class NumberDropped(Aggregate.Event):
        TOPIC = "exclusion-list-number-dropped"
        number: str

    class Removed(Aggregate.Event):
        TOPIC = "exclusion-list-removed"

    @event(Created)
    def __init__(self, *, user_id: str, name: str, scope: ExclusionScope, numbers: ObjectRef) -> None:
        self.user_id = user_id
        self.name = name
        self.scope = scope
        self.numbers = numbers
        self.removed = False

    @classmethod
    def add(
        cls,
        list_id: UUID,
        *,
        user_id: str,
        name: str,
        scope: ExclusionScope,
        numbers: ObjectRef,
        timestamp: datetime,
    ) -> Self:
        return cls._create(
            cls.Created,
            id=list_id,
            user_id=user_id,
            name=name,
            scope=scope,
            numbers=numbers,
            timestamp=timestamp,
        )

    @event(NumberPut)
    def put(
        self,
        *,
        number: str,
        reason: str | None,
        expires_at: datetime | None,
        call_id: UUID | None,
        timestamp: datetime,
    ) -> None:
        """Exclude a number, in the form by which numbers are compared."""

    @event(NumberDropped)
    def drop(self, *, number: str, timestamp: datetime) -> None:
        """Exclude a number no longer."""

    @event(Removed)
    def remove(self, *, timestamp: datetime) -> None:  # noqa: ARG002 - of the event
        self.removed = True

    def check_visible(self, actor: Actor) -> None:
        """Raise NotFoundError if there is no such list for this actor; those of the system are for all."""
        if self.removed or not (actor.may_see(self.user_id) or self.scope is ExclusionScope.SYSTEM):
            raise not_found(self.WHAT, self.id)

    def check_changeable(self, actor: Actor) -> None:
        """Raise ForbiddenError if the list is one of the system and the actor no administrator."""
        check_scope(self.scope, actor)


def check_scope(scope: ExclusionScope, actor: Actor) -> None:
    """Raise ForbiddenError if only an administrator may change lists of this scope."""
    if scope is ExclusionScope.SYSTEM and not actor.admin:
        raise ForbiddenError("only an administrator may change an exclusion list with the scope SYSTEM")
