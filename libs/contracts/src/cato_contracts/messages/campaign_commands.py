"""The requests to the campaign role of the dialer: groups, settings, tasks, and runs."""

from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import Field

from cato_contracts.api.resources import (
    NotificationSettings,
    Page,
    SettingsSpec,
    SubscriberGroup,
    Task,
    TaskSpec,
    TaskStart,
)
from cato_contracts.model import Frozen
from cato_contracts.objects import ObjectRef
from cato_contracts.requests import Command, Query

SERVICE = "dialer"


class ListFormat(StrEnum):
    """The format of an uploaded list of subscribers."""

    JSON = "json"
    """One JSON array, or several in sequence."""
    CSV = "csv"
    """A header line and the columns `fullName,phones,emails`; `;` separates several values."""


class Conditional(Frozen):
    """A change that applies only to these versions of the resource; None means any version."""

    if_version: list[int] | None = Field(default=None, exclude_if=lambda versions: versions is None)


class AddSubscriberGroup(Command[SubscriberGroup]):
    """Store the list in `upload` under a name: all of it, or nothing if one subscriber is invalid."""

    service: ClassVar[str] = SERVICE
    name: str
    format: ListFormat
    upload: ObjectRef


class ReplaceSubscriberGroup(Conditional, Command[SubscriberGroup]):
    service: ClassVar[str] = SERVICE
    id: UUID
    format: ListFormat
    upload: ObjectRef


class RemoveSubscriberGroup(Conditional, Command[None]):
    service: ClassVar[str] = SERVICE
    id: UUID


class GetSubscriberGroup(Query[SubscriberGroup]):
    service: ClassVar[str] = SERVICE
    id: UUID


class LocateSubscribers(Query[ObjectRef]):
    """Return the reference to the list of a group, JSON lines of `Contact`."""

    service: ClassVar[str] = SERVICE
    id: UUID


class ListSubscriberGroups(Query[Page[SubscriberGroup]]):
    service: ClassVar[str] = SERVICE
    name: str | None = None
    limit: int = Field(default=100, ge=1, le=1000)
    cursor: str | None = None


class AddNotificationSettings(Command[NotificationSettings]):
    """Store settings; `owner` is the user they belong to, by default the actor."""

    service: ClassVar[str] = SERVICE
    owner: str | None = None
    spec: SettingsSpec


class ReplaceNotificationSettings(Conditional, Command[NotificationSettings]):
    service: ClassVar[str] = SERVICE
    id: UUID
    owner: str | None = None
    spec: SettingsSpec


class RemoveNotificationSettings(Conditional, Command[None]):
    service: ClassVar[str] = SERVICE
    id: UUID


class GetNotificationSettings(Query[NotificationSettings]):
    service: ClassVar[str] = SERVICE
    id: UUID


class ListNotificationSettings(Query[Page[NotificationSettings]]):
    service: ClassVar[str] = SERVICE
    name: str | None = None
    limit: int = Field(default=100, ge=1, le=1000)
    cursor: str | None = None


class AddTask(Command[Task]):
    """Store a task; the error lists unknown settings, files and groups."""

    service: ClassVar[str] = SERVICE
    owner: str | None = None
    spec: TaskSpec


class ReplaceTask(Conditional, Command[Task]):
    service: ClassVar[str] = SERVICE
    id: UUID
    owner: str | None = None
    spec: TaskSpec


class RemoveTask(Conditional, Command[None]):
    service: ClassVar[str] = SERVICE
    id: UUID


class GetTask(Query[Task]):
    service: ClassVar[str] = SERVICE
    id: UUID


class ListTasks(Query[Page[Task]]):
    service: ClassVar[str] = SERVICE
    name: str | None = None
    limit: int = Field(default=100, ge=1, le=1000)
    cursor: str | None = None


class FindTasksUsingFile(Query[list[UUID]]):
    """Return the tasks that use an audio file and that the actor may see; an admin sees all tasks."""

    service: ClassVar[str] = SERVICE
    file_id: UUID


class StartTask(Command[TaskStart]):
    """Start a run with the current state of the task. If one is in progress, the conflict names it."""

    service: ClassVar[str] = SERVICE
    id: UUID


class PauseRun(Command[None]):
    """Start no more calls. Current calls continue to their end; with `hangup` they are ended."""

    service: ClassVar[str] = SERVICE
    id: UUID
    hangup: bool = False


class ResumeRun(Command[None]):
    service: ClassVar[str] = SERVICE
    id: UUID


class StopRun(Command[None]):
    """End the run. Current calls continue to their end; with `hangup` they are ended."""

    service: ClassVar[str] = SERVICE
    id: UUID
    hangup: bool = False
