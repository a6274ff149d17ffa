"""The resources of the REST API, as clients see them (manual, chapter 3)."""

import re
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, Generic, Literal, Self, TypeVar
from uuid import UUID
from zoneinfo import available_timezones

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator

from cato_contracts.examples import AUDIO_ID, EXECUTION_ID, GROUP_ID, SETTINGS_ID
from cato_contracts.model import Instant, Name, Resource
from cato_contracts.objects import ObjectRef

T = TypeVar("T")

MAX_PHONE_LENGTH = 32
_PHONE_PUNCTUATION = str.maketrans("", "", " -()\t")
_PHONE = re.compile(r"\+?[0-9]+|[0-9*#]+")
_BLANKS = r"[ \t()-]*"
PHONE_PATTERN = rf"^{_BLANKS}(?:(?:\+{_BLANKS})?(?:[0-9]{_BLANKS}){{1,31}}|(?:[0-9*#]{_BLANKS}){{1,32}})$"
"""The rule of `normalised_phone` for JSON Schema."""


class Page(Resource, Generic[T]):
    """Part of a collection; `next_cursor` asks for the part after it and is None at the end."""

    items: list[T]
    """The part of the collection."""

    next_cursor: str | None = None
    """What `cursor` has to be for the next part; null: this is the last one."""


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


Phone = Annotated[str, Field(json_schema_extra={"pattern": PHONE_PATTERN}), AfterValidator(normalised_phone)]
_PhoneList = Annotated[list[Phone], Field(min_length=1)]
Phones = Annotated[
    list[Phone],
    Field(min_length=1),
    BeforeValidator(one_or_many, json_schema_input_type=Phone | _PhoneList),
    AfterValidator(_once_each),
]
Emails = Annotated[list[str], BeforeValidator(one_or_many, json_schema_input_type=str | list[str])]
_IdList = Annotated[list[UUID], Field(min_length=1)]
Ids = Annotated[
    list[UUID],
    Field(min_length=1),
    BeforeValidator(one_or_many, json_schema_input_type=UUID | _IdList),
]


class Subscriber(Resource):
    """A person to be called: their numbers in the order in which they are tried."""

    full_name: Name = Field(examples=["Ivan Potapov"])
    """The person's name."""

    phones: Phones = Field(examples=[["776429"]])
    """Numbers in the order in which they are called, until one call succeeds; one number or a list."""

    emails: Emails = Field(default_factory=list, examples=[[]])
    """Addresses; kept, and not used yet. One address or a list."""


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


def _midnight_rule(schema: dict[str, Any]) -> None:
    """Add to a schema: `tillHour` 24 goes with `tillMin` 0 only."""
    hour, minute = (name for name in schema["properties"] if name in _TILL)
    schema["if"] = {"properties": {hour: {"const": 24}}, "required": [hour]}
    schema["then"] = {"properties": {minute: {"const": 0}}}


_TILL = frozenset({"tillHour", "tillMin", "till_hour", "till_min"})


class TimeRestrictions(Resource):
    """The part of the day in which calls may be started: `from` inclusive, `till` exclusive.

    From later than till runs over midnight; both equal is the whole day.
    """

    model_config = ConfigDict(json_schema_extra=_midnight_rule)

    from_hour: int = Field(default=0, ge=0, le=23, examples=[8])
    """Calls may be started from this hour on."""

    from_min: int = Field(default=0, ge=0, le=59, examples=[30])
    """And this minute."""

    till_hour: int = Field(default=0, ge=0, le=23, examples=[18], json_schema_extra={"maximum": 24})
    """No calls are started from this hour on; 24 with `tillMin` 0 is midnight."""

    till_min: int = Field(default=0, ge=0, le=59, examples=[30])
    """And this minute. Earlier than `from`: over midnight; equal: the whole day."""

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


TimeZoneName = Annotated[
    str, Field(json_schema_extra={"format": "iana-time-zone"}), AfterValidator(_known_zone)
]


class SettingsSpec(Resource):
    """What a client says of notification settings; durations in seconds. Bounds as in the API's table."""

    name: Name = Field(examples=["profile_1"])
    """A name for people: 1 to 200 characters, not only blanks."""

    attempt_count: int = Field(ge=1, le=100, examples=[2])
    """How many waves there are at most: how often a subscriber is tried."""

    attempt_delay_s: int = Field(default=0, ge=0, le=604_800, examples=[60])
    """The least time between the end of a wave and the next one, in seconds."""

    success_condition: SuccessCondition = Field(examples=["PICKUP_PHONE"])
    """What counts as reached: `PICKUP_PHONE` answered; `PICKUP_AND_LISTEN_SOME` and heard
    `successPlaybackDurationS` seconds; `PICKUP_AND_LISTEN_FULL` and heard everything; `PICKUP_AND_CONFIRM`
    and keyed `confirmCode`."""

    success_playback_duration_s: int = Field(default=0, ge=0, le=3_600, examples=[5])
    """How much has to be heard, in seconds; needed with `PICKUP_AND_LISTEN_SOME`. More than there is: all."""

    max_call_duration_s: int = Field(default=300, ge=1, le=7_200, examples=[90])
    """A call is ended so many seconds after it was answered."""

    max_answer_delay_s: int = Field(default=30, ge=0, le=300, examples=[30])
    """How long it may ring, in seconds; 0: as long as the station's own limit."""

    time_restrictions: TimeRestrictions | None = Field(
        default=None, examples=[{"fromMin": 30, "fromHour": 8, "tillMin": 30, "tillHour": 18}]
    )
    """When calls may be started; absent: always."""

    time_zone: TimeZoneName | None = None
    """The IANA name of the zone of `timeRestrictions`; absent: the configured one."""

    weekdays: Annotated[list[Weekday], Field(min_length=1), AfterValidator(_once_each)] | None = Field(
        default=None, examples=[["MON", "TUE", "WED", "THU", "FRI"]]
    )
    """Days on which calls may be started; absent: all."""

    confirm_code: str = Field(default="1", pattern=r"^[0-9*#]{1,16}$")
    """What has to be keyed with `PICKUP_AND_CONFIRM`."""

    repeat_count: int = Field(default=1, ge=1, le=10)
    """How often the files are played in a call."""

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

    name: Name = Field(examples=["task_2024-03-24"])
    """A name for people: 1 to 200 characters, not only blanks."""

    settings: UUID = Field(examples=[SETTINGS_ID])
    """The id of notification settings."""

    files: Ids = Field(examples=[[AUDIO_ID]])
    """Ids of audio files, in the order in which they are played; one id or a list of ids."""

    groups: Annotated[Ids, AfterValidator(_once_each)] = Field(examples=[[GROUP_ID]])
    """Ids of subscriber groups; who is in several is called once. One id or a list of ids."""

    start_at: Instant | None = None
    """No calls before this time."""

    expires_at: Instant | None = None
    """No calls from this time on: the execution ends."""

    priority: int = Field(default=0, ge=-10, le=10)
    """Which execution gets the channels when there are too few: the higher, the earlier."""


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

    task_exec_id: UUID | None = Field(examples=[EXECUTION_ID])
    """The execution's id; null if there is none."""

    result: StartResult = Field(examples=["SUCCESS"])
    """`SUCCESS`, or `FAIL_NO_CHANNELS`: there are no channels configured or licensed."""
