"""A stored list of subscribers."""

from datetime import datetime
from typing import Self
from uuid import UUID

from eventsourcing.domain import Aggregate, event

from cato_contracts.objects import ObjectRef
from cato_contracts.resources import SubscriberGroup as SubscriberGroupView
from cato_dialer.campaign.domain.catalog.ownership import Owned


class SubscriberGroup(Owned, Aggregate):
    """`subscribers` is where the list is: JSON lines of `Contact`."""

    TOPIC = "subscriber-group"
    WHAT = "subscriber group"

    class Created(Aggregate.Created):
        TOPIC = "subscriber-group-added"
        user_id: str
        name: str
        subscribers: ObjectRef
        subscriber_count: int
        command_id: str
        digest: str

    class Replaced(Aggregate.Event):
        TOPIC = "subscriber-group-replaced"
        subscribers: ObjectRef
        subscriber_count: int
        command_id: str
        digest: str

    class Removed(Aggregate.Event):
        TOPIC = "subscriber-group-removed"
        command_id: str
        digest: str

    @event(Created)
    def __init__(
        self,
        *,
        user_id: str,
        name: str,
        subscribers: ObjectRef,
        subscriber_count: int,
        command_id: str,
        digest: str,
    ) -> None:
        self.user_id = user_id
        self.name = name
        self.subscribers = subscribers
        self.subscriber_count = subscriber_count
        self.removed = False
        self.digests = {command_id: digest}

    @classmethod
    def add(
        cls,
        group_id: UUID,
        *,
        user_id: str,
        name: str,
        subscribers: ObjectRef,
        subscriber_count: int,
        command_id: str,
        digest: str,
        timestamp: datetime,
    ) -> Self:
        return cls._create(
            cls.Created,
            id=group_id,
            user_id=user_id,
            name=name,
            subscribers=subscribers,
            subscriber_count=subscriber_count,
            command_id=command_id,
            digest=digest,
            timestamp=timestamp,
        )

    @event(Replaced)
    def replace(
        self,
        *,
        subscribers: ObjectRef,
        subscriber_count: int,
        command_id: str,
        digest: str,
        timestamp: datetime,  # noqa: ARG002 - of the event
    ) -> None:
        self.subscribers = subscribers
        self.subscriber_count = subscriber_count
        self._remember(command_id, digest)

    @event(Removed)
    def remove(self, *, command_id: str, digest: str, timestamp: datetime) -> None:  # noqa: ARG002 - of the event
        self.removed = True
        self._remember(command_id, digest)

    def view(self) -> SubscriberGroupView:
        return SubscriberGroupView(
            id=self.id,
            name=self.name,
            user_id=self.user_id,
            subscriber_count=self.subscriber_count,
            created_at=self.created_on,
            version=self.version,
        )
