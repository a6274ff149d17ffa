"""A group of subscribers: its name, and a reference to its list in the object store."""

from datetime import datetime
from typing import Self
from uuid import UUID

from eventsourcing.domain import Aggregate, event

from cato_contracts.api.resources import SubscriberGroup as SubscriberGroupView
from cato_contracts.objects import ObjectRef
from cato_dialer.campaign.domain.catalog.ownership import CatalogCreated, CatalogEvent, CatalogResource


class SubscriberGroup(CatalogResource, Aggregate):
    """`subscribers` refers to the list: JSON lines of `Contact`."""

    TOPIC = "subscriber-group"
    WHAT = "subscriber group"

    class Created(CatalogCreated):
        TOPIC = "subscriber-group-added"
        user_id: str
        name: str
        subscribers: ObjectRef
        subscriber_count: int

    class Replaced(CatalogEvent):
        TOPIC = "subscriber-group-replaced"
        subscribers: ObjectRef
        subscriber_count: int

    class Removed(CatalogEvent):
        TOPIC = "subscriber-group-removed"

    @event(Created)
    def __init__(self, *, user_id: str, name: str, subscribers: ObjectRef, subscriber_count: int) -> None:
        self.user_id = user_id
        self.name = name
        self.subscribers = subscribers
        self.subscriber_count = subscriber_count
        self.removed = False

    @classmethod
    def add(
        cls,
        group_id: UUID,
        *,
        user_id: str,
        name: str,
        subscribers: ObjectRef,
        subscriber_count: int,
        timestamp: datetime,
    ) -> Self:
        return cls._create(
            cls.Created,
            id=group_id,
            user_id=user_id,
            name=name,
            subscribers=subscribers,
            subscriber_count=subscriber_count,
            timestamp=timestamp,
        )

    @event(Replaced)
    def replace(self, *, subscribers: ObjectRef, subscriber_count: int, timestamp: datetime) -> None:  # noqa: ARG002 - of the event
        self.subscribers = subscribers
        self.subscriber_count = subscriber_count

    @event(Removed)
    def remove(self, *, timestamp: datetime) -> None:  # noqa: ARG002 - of the event
        self.removed = True

    def view(self) -> SubscriberGroupView:
        return SubscriberGroupView(
            id=self.id,
            name=self.name,
            user_id=self.user_id,
            subscriber_count=self.subscriber_count,
            created_at=self.created_on,
            version=self.version,
        )
