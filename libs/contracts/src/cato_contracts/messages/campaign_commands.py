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
from cato_contracts.api.rules.duplicates import ListDuplicates
from cato_contracts.errors import ListFault
from cato_contracts.model import Frozen, Resource
from cato_contracts.objects import ObjectRef
from cato_contracts.requests import Command, Query

SERVICE = "dialer"


class ListFormat(StrEnum):
    """The format of an uploaded list of subscribers."""

    JSON = "json"
    """One JSON array, or several in sequence."""
    CSV = "csv"
    """A header line and rows; `;` separates several values in a cell."""
    XLSX = "xlsx"
    """The first sheet of a workbook that has cells, with a header row."""


class ListColumn(Resource):
    """A column of a table, and what it is taken for."""

    header: str = Field(examples=["Телефон"])
    """The text of the header."""

    meaning: str = Field(examples=["phones"])
    """`fullName`, `namePart`, `phones`, `emails`, `timeZone`, `consent`, `attributes`, or `nothing` for one
    without a header."""


class ListedSubscriber(Resource):
    """A subscriber of a list, as understood."""

    full_name: str = Field(examples=["Ivan Potapov"])
    """The person's name."""

    phones: list[str] = Field(examples=[["776429"]])
    """The numbers, as they would be dialled."""

    emails: list[str] = Field(examples=[[]])
    """The e-mail addresses."""

    attributes: dict[str, str] = Field(
        default_factory=dict,
        exclude_if=lambda attributes: not attributes,
        examples=[{"Address": "12 High St"}],
    )
    """Further facts about the person; absent if there are none."""

    time_zone: str | None = Field(
        default=None, exclude_if=lambda zone: zone is None, examples=["Asia/Yekaterinburg"]
    )
    """The zone in which the person lives; absent if the list does not say it."""

    consent: str | None = Field(
        default=None,
        exclude_if=lambda consent: consent is None,
        examples=["Signed form of 2024-02-11, town hall"],
    )
    """Evidence that the person agreed to be called; absent if the list has none."""


class SubscriberListCheck(Resource):
    """What an uploaded list would be stored as."""

    subscriber_count: int = Field(examples=[2])
    """The number of subscribers, valid or not."""

    charset: str | None = Field(default=None, examples=["cp1251"])
    """The encoding of the text; null for a workbook."""

    columns: list[ListColumn] = Field(
        default_factory=list, examples=[[{"header": "ФИО", "meaning": "fullName"}]]
    )
    """The columns of a table."""

    subscribers: list[ListedSubscriber] = Field(
        default_factory=list, examples=[[{"fullName": "Ivan Potapov", "phones": ["776429"], "emails": []}]]
    )
    """The first subscribers, as understood."""

    faults: list[ListFault] = Field(default_factory=list, examples=[[]])
    """The faults, up to a hundred."""

    fault_count: int = Field(default=0, examples=[0])
    """The number of all faults; with any, the list would be rejected."""

    duplicates: ListDuplicates = Field(
        default_factory=ListDuplicates, examples=[{"persons": 0, "numbers": 0}]
    )
    """What occurs more than once."""


class UploadedList(Frozen):
    """An uploaded list, and what the client says about it.

    `charset` is that of the Content-Type; `columns` are the headers of `fullName`, `phones` and `emails`.
    """

    format: ListFormat
    upload: ObjectRef
    charset: str | None = Field(default=None, exclude_if=lambda charset: charset is None)
    columns: dict[str, list[str]] | None = Field(default=None, exclude_if=lambda columns: columns is None)


class Conditional(Frozen):
    """A change that applies only to these versions of the resource; None means any version."""

    if_version: list[int] | None = Field(default=None, exclude_if=lambda versions: versions is None)


class AddSubscriberGroup(UploadedList, Command[SubscriberGroup]):
    """Store the list in `upload` under a name: all of it, or nothing if one subscriber is invalid."""

    service: ClassVar[str] = SERVICE
    name: str


class ReplaceSubscriberGroup(UploadedList, Conditional, Command[SubscriberGroup]):
    service: ClassVar[str] = SERVICE
    id: UUID


class CheckSubscriberList(UploadedList, Query[SubscriberListCheck]):
    """Read the list in `upload` and say what is in it; nothing is stored."""

    service: ClassVar[str] = SERVICE


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


class RepeatUnreached(Command[TaskStart]):
    """Start a task for those whom an earlier run of it has not reached; `run_id` None: the latest one."""

    service: ClassVar[str] = SERVICE
    id: UUID
    run_id: UUID | None = None


class CallTester(Command[TaskStart]):
    """Call one number with the message and the settings of a task, once and at any hour."""

    service: ClassVar[str] = SERVICE
    id: UUID
    number: str


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
