"""What the dialer's campaign role does: the catalog of groups, settings and tasks, and their runs."""

from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import Field

from cato_contracts.model import Frozen
from cato_contracts.objects import ObjectRef
from cato_contracts.requests import Command, Query
from cato_contracts.resources import (
    NotificationSettings,
    Page,
    SettingsSpec,
    SubscriberGroup,
    Task,
    TaskSpec,
    TaskStart,
)

SERVICE = "dialer"


class ListFormat(StrEnum):
    """How an uploaded list of subscribers is written."""

    JSON = "json"
    """One JSON array, or several one after another."""
    CSV = "csv"
    """`fullName,phones,emails` with a header line; several values with `;`."""


class Conditional(Frozen):
    """A change that is meant for certain versions of its resource; None: for whichever there is."""

    if_version: list[int] | None = Field(default=None, exclude_if=lambda versions: versions is None)


class AddSubscriberGroup(Command[SubscriberGroup]):
    """Keep the list in `upload` under a name: all of it, or nothing when one subscriber is wrong."""

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
    """Where a group's list is (JSON lines of `Contact`), for whoever wants to read it."""

    service: ClassVar[str] = SERVICE
    id: UUID


class ListSubscriberGroups(Query[Page[SubscriberGroup]]):
    service: ClassVar[str] = SERVICE
    name: str | None = None
    limit: int = Field(default=100, ge=1, le=1000)
    cursor: str | None = None


class AddNotificationSettings(Command[NotificationSettings]):
    """Keep settings; `owner` is the user that they belong to, the actor's own when absent."""

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
    """Keep a task; unknown settings, files or groups are refused by name."""

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
    """Which tasks play an audio file: those that the actor may see, so an admin learns of everybody's."""

    service: ClassVar[str] = SERVICE
    file_id: UUID


class StartTask(Command[TaskStart]):
    """Begin a run of the task as everything is now; a conflict names the run that is under way."""

    service: ClassVar[str] = SERVICE
    id: UUID


class PauseRun(Command[None]):
    """Start no more calls; those that are up finish, or are ended with `hangup`."""

    service: ClassVar[str] = SERVICE
    id: UUID
    hangup: bool = False


class ResumeRun(Command[None]):
    service: ClassVar[str] = SERVICE
    id: UUID


class StopRun(Command[None]):
    """End the run; calls that are up finish, or are ended with `hangup`."""

    service: ClassVar[str] = SERVICE
    id: UUID
    hangup: bool = False
