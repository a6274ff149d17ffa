"""Resources as clients send and see them, where that differs from what the services exchange."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from cato_contracts.errors import InvalidError
from cato_contracts.history import CallRecord
from cato_contracts.model import Instant, Name, Resource
from cato_contracts.resources import (
    AudioFile,
    NotificationSettings,
    Page,
    SettingsSpec,
    StartResult,
    SubscriberGroup,
    Task,
    TaskSpec,
    one_or_many,
)
from cato_contracts.status import TaskExec

_SECONDS = ("attemptDelay", "successPlaybackDuration", "maxCallDuration", "maxAnswerDelay")
_CONTROL = 0x20
_DELETE = 0x7F
_NAME_LENGTH = 200


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC)


UtcInstant = Annotated[Instant, PlainSerializer(_utc, return_type=datetime, when_used="json-unless-none")]

_ONE_OR_MANY_IDS = WithJsonSchema(
    {
        "description": "One id or a list of ids.",
        "anyOf": [
            {"type": "string", "format": "uuid"},
            {"type": "array", "items": {"type": "string", "format": "uuid"}, "minItems": 1},
        ],
    }
)


class AudioFileView(Resource):
    """An audio file; `url` is where its content can be heard."""

    id: UUID
    name: str
    url: str
    user_id: str
    duration_ms: int
    size_bytes: int
    sha256: str
    created_at: UtcInstant

    @classmethod
    def of(cls, file: AudioFile, url: str) -> Self:
        return cls(**file.model_dump(exclude={"content"}), url=url)


class SubscriberGroupView(Resource):
    """A group; `url` is where its subscribers can be read."""

    id: UUID
    name: str
    url: str
    user_id: str
    subscriber_count: int
    created_at: UtcInstant

    @classmethod
    def of(cls, group: SubscriberGroup, url: str) -> Self:
        return cls(**group.model_dump(exclude={"version"}), url=url)


class SettingsBody(SettingsSpec):
    """Notification settings as a client sends them."""

    user_id: Name | None = None

    @model_validator(mode="before")
    @classmethod
    def _small_final_s(cls, data: object) -> object:
        """Take the names as the manual's examples write them, too: `attemptDelays` for `attemptDelayS`."""
        if not isinstance(data, Mapping):
            return data
        fields = dict(data)
        for stem in _SECONDS:
            if f"{stem}s" in fields:
                if f"{stem}S" in fields:
                    msg = f"{stem}S and {stem}s are the same field: give one"
                    raise ValueError(msg)
                fields[f"{stem}S"] = fields.pop(f"{stem}s")
        return fields

    def spec(self) -> SettingsSpec:
        return SettingsSpec.model_validate(self.model_dump(exclude={"user_id", "id"}, exclude_unset=True))


class ReplacedSettingsBody(SettingsBody):
    """The same for a replacement; with its `id`, so that an answer can be changed and sent back."""

    id: UUID | None = None


class TaskBody(TaskSpec):
    """A task as a client sends it."""

    files: Annotated[list[UUID], BeforeValidator(one_or_many), Field(min_length=1), _ONE_OR_MANY_IDS]
    groups: Annotated[list[UUID], BeforeValidator(one_or_many), Field(min_length=1), _ONE_OR_MANY_IDS]
    user_id: Name | None = None

    def spec(self) -> TaskSpec:
        return TaskSpec.model_validate(self.model_dump(exclude={"user_id", "id"}, exclude_unset=True))


class ReplacedTaskBody(TaskBody):
    """The same for a replacement, with its `id` or without."""

    id: UUID | None = None


class SettingsView(SettingsSpec):
    """Notification settings as clients see them."""

    id: UUID
    user_id: str

    @classmethod
    def of(cls, settings: NotificationSettings) -> Self:
        return cls.model_validate(settings.model_dump(exclude={"version"}))


class TaskView(TaskSpec):
    """A task as clients see it: times in UTC."""

    id: UUID
    user_id: str
    start_at: UtcInstant | None = None
    expires_at: UtcInstant | None = None

    @classmethod
    def of(cls, task: Task) -> Self:
        return cls.model_validate(task.model_dump(exclude={"version"}))


class SubscriberLine(Resource):
    """A subscriber of a group, with the id that calls show."""

    id: UUID
    full_name: str
    phones: list[str]
    emails: list[str]


class RunControl(Resource):
    """The answer to pausing, resuming and stopping: it will be so."""

    task_exec_id: UUID
    result: StartResult = StartResult.SUCCESS


class AudioFiles(Page[AudioFileView]):
    """A page of audio files."""


class SubscriberGroups(Page[SubscriberGroupView]):
    """A page of groups."""


class Subscribers(Page[SubscriberLine]):
    """A page of a group's subscribers."""


class SettingsPage(Page[SettingsView]):
    """A page of notification settings."""


class TaskExecs(Page[TaskExec]):
    """A page of executions."""


class Calls(Page[CallRecord]):
    """A page of calls."""


class Tasks(Page[TaskView]):
    """A page of tasks."""


def same_id(sent: UUID | None, addressed: UUID) -> None:
    """See to it that a replacement means the resource that it is sent to.

    Raises:
        InvalidError: if it names another one.

    """
    if sent is not None and sent != addressed:
        raise InvalidError(f"id is {sent} in the body and {addressed} in the address", resource_id=str(sent))


def checked_name(name: str) -> str:
    """Return a name that came in an address.

    Raises:
        InvalidError: unless it is 1 to 200 characters, not only blanks, without slashes and controls.

    """
    broken = any(ord(char) < _CONTROL or ord(char) == _DELETE or char in "/\\\ufffd" for char in name)
    if not name.strip() or len(name) > _NAME_LENGTH or broken:
        raise InvalidError(
            f"the name in the address should have 1 to {_NAME_LENGTH} characters, not only blanks,"
            " without slashes, backslashes and control characters"
        )
    return name
