"""How subscribers are to be reached: waves, hours, what counts as success."""

from datetime import datetime
from typing import Self
from uuid import UUID

from eventsourcing.domain import Aggregate, event

from cato_contracts.resources import NotificationSettings as NotificationSettingsView
from cato_contracts.resources import SettingsSpec
from cato_dialer.campaign.domain.catalog.ownership import Owned


class NotificationSettings(Owned, Aggregate):
    """Settings that tasks refer to; a run keeps those of its start."""

    TOPIC = "notification-settings"
    WHAT = "notification settings"

    class Created(Aggregate.Created):
        TOPIC = "notification-settings-added"
        user_id: str
        spec: SettingsSpec
        command_id: str
        digest: str

    class Replaced(Aggregate.Event):
        TOPIC = "notification-settings-replaced"
        user_id: str
        spec: SettingsSpec
        command_id: str
        digest: str

    class Removed(Aggregate.Event):
        TOPIC = "notification-settings-removed"
        command_id: str
        digest: str

    @event(Created)
    def __init__(self, *, user_id: str, spec: SettingsSpec, command_id: str, digest: str) -> None:
        self.user_id = user_id
        self.spec = spec
        self.removed = False
        self.digests = {command_id: digest}

    @classmethod
    def add(
        cls,
        settings_id: UUID,
        *,
        user_id: str,
        spec: SettingsSpec,
        command_id: str,
        digest: str,
        timestamp: datetime,
    ) -> Self:
        return cls._create(
            cls.Created,
            id=settings_id,
            user_id=user_id,
            spec=spec,
            command_id=command_id,
            digest=digest,
            timestamp=timestamp,
        )

    @event(Replaced)
    def replace(
        self,
        *,
        user_id: str,
        spec: SettingsSpec,
        command_id: str,
        digest: str,
        timestamp: datetime,  # noqa: ARG002 - of the event
    ) -> None:
        self.user_id = user_id
        self.spec = spec
        self._remember(command_id, digest)

    @event(Removed)
    def remove(self, *, command_id: str, digest: str, timestamp: datetime) -> None:  # noqa: ARG002 - of the event
        self.removed = True
        self._remember(command_id, digest)

    def view(self) -> NotificationSettingsView:
        return NotificationSettingsView(
            id=self.id, user_id=self.user_id, version=self.version, **dict(self.spec)
        )
