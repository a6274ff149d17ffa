"""Notification settings: waves, calling hours, the condition of success."""

from datetime import datetime
from typing import Self
from uuid import UUID

from eventsourcing.domain import Aggregate, event

from cato_contracts.api.resources import NotificationSettings as NotificationSettingsView
from cato_contracts.api.resources import SettingsSpec
from cato_dialer.campaign.domain.catalog.ownership import CatalogCreated, CatalogEvent, CatalogResource


class NotificationSettings(CatalogResource, Aggregate):
    """Settings that tasks refer to. A run keeps the settings as they were at its start."""

    TOPIC = "notification-settings"
    WHAT = "notification settings"

    class Created(CatalogCreated):
        TOPIC = "notification-settings-added"
        user_id: str
        spec: SettingsSpec

    class Replaced(CatalogEvent):
        TOPIC = "notification-settings-replaced"
        user_id: str
        spec: SettingsSpec

    class Removed(CatalogEvent):
        TOPIC = "notification-settings-removed"

    @event(Created)
    def __init__(self, *, user_id: str, spec: SettingsSpec) -> None:
        self.user_id = user_id
        self.spec = spec
        self.removed = False

    @classmethod
    def add(cls, settings_id: UUID, *, user_id: str, spec: SettingsSpec, timestamp: datetime) -> Self:
        return cls._create(cls.Created, id=settings_id, user_id=user_id, spec=spec, timestamp=timestamp)

    @event(Replaced)
    def replace(self, *, user_id: str, spec: SettingsSpec, timestamp: datetime) -> None:  # noqa: ARG002 - of the event
        self.user_id = user_id
        self.spec = spec

    @event(Removed)
    def remove(self, *, timestamp: datetime) -> None:  # noqa: ARG002 - of the event
        self.removed = True

    def view(self) -> NotificationSettingsView:
        return NotificationSettingsView(
            id=self.id, user_id=self.user_id, version=self.version, **dict(self.spec)
        )
