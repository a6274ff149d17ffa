"""The resources of the REST API, as clients see them (manual, chapter 3)."""

import re
from enum import StrEnum
from functools import cache
from typing import Annotated, Generic, Literal, Self, TypeVar
from uuid import UUID
from zoneinfo import available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from cato_contracts.model import Instant, Name, Resource
from cato_contracts.objects import ObjectRef

T = TypeVar("T")

MAX_PHONE_LENGTH = 32
_PHONE_PUNCTUATION = str.maketrans("", "", " -()\t")
_PHONE = re.compile(r"\+?[0-9]+|[0-9*#]+")


class Page(Resource, Generic[T]):
    """Part of a collection; `next_cursor` asks for the part after it and is None at the end."""

    items: list[T]
    next_cursor: str | None = None


class AudioFile(Resource):
    """A prompt in the store: G.711 A-law, 8000 bytes/s, mono; `sha256` is of those bytes."""

    id: UUID
    name: str
    user_id: str
    duration_ms: int
    size_bytes: int
    sha256: str
    created_at: Instant
    content: ObjectRef


def normalised_phone(text: str) -> str:
    """Return a dialable number: digits with an optional leading `+`, or a code of digits, `*` and `#`.

    Raises:
        ValueError: for anything else once blanks, `-`, `(` and `)` are removed, or over 32 characters.

    """
    number = text.translate(_PHONE_PUNCTUATION)
    if not _PHONE.fullmatch(number):
        msg = f"{text!r} is not a telephone number: digits with an optional leading +, or *, # codes"
        raise ValueError(msg)
    if len(number) > MAX_PHONE_LENGTH:
        msg = f"a telephone number has at most {MAX_PHONE_LENGTH} characters, not {len(number)}"
        raise ValueError(msg)
    return number


def one_or_many(value: object) -> object:
    """Take a single string where a list of strings is meant; an empty string is an empty list."""
    if isinstance(value, str):
        return [value] if value.strip() else []
    return value


def _once_each(values: list[T]) -> list[T]:
    return list(dict.fromkeys(values))


Phone = Annotated[str, AfterValidator(normalised_phone)]
Phones = Annotated[list[Phone], BeforeValidator(one_or_many), Field(min_length=1), AfterValidator(_once_each)]
Emails = Annotated[list[str], BeforeValidator(one_or_many)]


class Subscriber(Resource):
    """A person to be called: their numbers in the order in which they are tried."""

    full_name: Name
    phones: Phones
    emails: Emails = Field(default_factory=list)


class Contact(Resource):
    """A subscriber with an identity, as the data of `CallStarted` shows it."""

    full_name: str
    phones: list[str]
    emails: list[str] = Field(default_factory=list)
    id: UUID


class Versioned(Resource):
    """A resource that can be changed: `version` rises with every change; 0 is one that was never kept.

    Clients see it as the ETag.
    """

    version: int = Field(default=0, exclude_if=lambda version: version == 0)


class SubscriberGroup(Versioned):
    """A stored list of subscribers."""

    id: UUID
    name: str
    user_id: str
    subscriber_count: int
    created_at: Instant


class SuccessCondition(StrEnum):
    """What makes a call a success (manual, 3.3)."""

    PICKUP_PHONE = "PICKUP_PHONE"
    PICKUP_AND_LISTEN_SOME = "PICKUP_AND_LISTEN_SOME"
    PICKUP_AND_LISTEN_FULL = "PICKUP_AND_LISTEN_FULL"
    PICKUP_AND_CONFIRM = "PICKUP_AND_CONFIRM"


class TimeRestrictions(Resource):
    """The part of the day in which calls may be started: `from` inclusive, `till` exclusive.

    From later than till runs over midnight; both equal is the whole day.
    """

    from_hour: int = Field(default=0, ge=0, le=23)
    from_min: int = Field(default=0, ge=0, le=59)
    till_hour: int = Field(default=0, ge=0, le=23)
    till_min: int = Field(default=0, ge=0, le=59)

    @model_validator(mode="before")
    @classmethod
    def _midnight_as_24(cls, data: object) -> object:
        if isinstance(data, dict) and 24 in (data.get("tillHour"), data.get("till_hour")):  # noqa: PLR2004
            if data.get("tillMin", data.get("till_min", 0)) != 0:
                msg = "tillHour 24 goes with tillMin 0 only"
                raise ValueError(msg)
            return {key: 0 if key in {"tillHour", "till_hour"} else value for key, value in data.items()}
        return data


Weekday = Literal["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"]


@cache
def _zones() -> set[str]:
    return available_timezones()  # it looks through the disk each time


def _known_zone(name: str) -> str:
    if name not in _zones():
        msg = f"{name!r} is not an IANA time zone name"
        raise ValueError(msg)
    return name


TimeZoneName = Annotated[str, AfterValidator(_known_zone)]


class SettingsSpec(Resource):
    """What a client says of notification settings; durations in seconds. Bounds as in the API's table."""

    name: Name
    attempt_count: int = Field(ge=1, le=100)
    attempt_delay_s: int = Field(default=0, ge=0, le=604_800)
    success_condition: SuccessCondition
    success_playback_duration_s: int = Field(default=0, ge=0, le=3_600)
    max_call_duration_s: int = Field(default=300, ge=1, le=7_200)
    max_answer_delay_s: int = Field(default=30, ge=0, le=300)
    time_restrictions: TimeRestrictions | None = None
    time_zone: TimeZoneName | None = None
    weekdays: Annotated[list[Weekday], Field(min_length=1), AfterValidator(_once_each)] | None = None
    confirm_code: str = Field(default="1", pattern=r"^[0-9*#]{1,16}$")
    repeat_count: int = Field(default=1, ge=1, le=10)

    @model_validator(mode="after")
    def _playback_duration_is_given(self) -> Self:
        needed = self.success_condition is SuccessCondition.PICKUP_AND_LISTEN_SOME
        if needed and "success_playback_duration_s" not in self.model_fields_set:
            msg = "successPlaybackDurationS is needed with PICKUP_AND_LISTEN_SOME"
            raise ValueError(msg)
        return self


class NotificationSettings(SettingsSpec, Versioned):
    """Stored notification settings."""

    id: UUID
    user_id: str


class TaskSpec(Resource):
    """What a client says of a task: prompts in the order in which they are played, groups to call."""

    name: Name
    settings: UUID
    files: Annotated[list[UUID], BeforeValidator(one_or_many), Field(min_length=1)]
    groups: Annotated[
        list[UUID], BeforeValidator(one_or_many), Field(min_length=1), AfterValidator(_once_each)
    ]
    start_at: Instant | None = None
    expires_at: Instant | None = None
    priority: int = Field(default=0, ge=-10, le=10)


class Task(TaskSpec, Versioned):
    """A stored task."""

    id: UUID
    user_id: str


class StartResult(StrEnum):
    """How starting a task went (manual, 3.5)."""

    SUCCESS = "SUCCESS"
    FAIL_NO_CHANNELS = "FAIL_NO_CHANNELS"


class TaskStart(Resource):
    """The answer to starting a task; no execution without a channel."""

    task_exec_id: UUID | None
    result: StartResult
