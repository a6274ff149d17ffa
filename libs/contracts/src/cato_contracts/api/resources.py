"""The resources of the REST API, as clients see them (manual, chapter 3)."""

from enum import StrEnum
from typing import Annotated, Generic, Self, TypeVar
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from cato_contracts.api.examples import AUDIO_ID, EXECUTION_ID, GROUP_ID, SETTINGS_ID
from cato_contracts.api.phone_numbers import PHONE_SCHEMA, normalised_phone
from cato_contracts.api.rules.contacts import ContactLimits
from cato_contracts.api.rules.duplicates import ListDuplicates
from cato_contracts.api.rules.hours import (
    Day,
    HolidayCalendar,
    LocalTime,
    TimeRestrictions,
    TimeZoneName,
    Weekday,
)
from cato_contracts.api.rules.keys import Key, check_keys
from cato_contracts.api.rules.retries import RetryRule
from cato_contracts.model import ENCODABLE, Attributes, Consent, Instant, Name, Resource, one_or_many
from cato_contracts.objects import ObjectRef

T = TypeVar("T")


class Page(Resource, Generic[T]):
    """One page of a collection; `next_cursor` requests the next page and is None on the last one."""

    items: list[T]
    """The items of this page."""

    next_cursor: str | None = None
    """The value of `cursor` for the next page; null: this is the last page."""


class AudioWarning(Resource):
    """A property of an audio file that makes it hard to understand, or that should be checked."""

    code: str = Field(examples=["too-quiet"])
    """`too-quiet`, `clipped`, `silence-at-start`, `silence-at-end`, `silent`, `one-channel`, `low-pitched` or
    `length-unknown`."""

    message: str = Field(examples=["the audio is quiet: -42 dBFS without pauses"])
    """A sentence about it."""


class AudioFile(Resource):
    """A stored audio file: G.711 A-law, 8000 bytes/s, mono; `sha256` is the digest of those bytes.

    The levels are those of the stored audio in dB below full scale; None for files of earlier versions.
    """

    id: UUID
    name: str
    user_id: str
    duration_ms: int
    size_bytes: int
    sha256: str
    created_at: Instant
    content: ObjectRef
    peak_dbfs: float | None = Field(default=None, exclude_if=lambda level: level is None)
    rms_dbfs: float | None = Field(default=None, exclude_if=lambda level: level is None)
    warnings: list[AudioWarning] = Field(default_factory=list, exclude_if=lambda warnings: not warnings)


def _once_each(values: list[T]) -> list[T]:
    return list(dict.fromkeys(values))


Phone = Annotated[str, Field(json_schema_extra={**PHONE_SCHEMA}), AfterValidator(normalised_phone)]
MAX_PHONES = 50
MAX_EMAILS = 50
MAX_EMAIL_LENGTH = 254
"""The longest address that a server must take (RFC 5321, 4.5.3.1, with erratum 1690 of RFC 3696)."""

_PhoneList = Annotated[list[Phone], Field(min_length=1, max_length=MAX_PHONES)]
Phones = Annotated[
    list[Phone],
    Field(min_length=1, max_length=MAX_PHONES),
    BeforeValidator(one_or_many, json_schema_input_type=Phone | _PhoneList),
    AfterValidator(_once_each),
]
_Email = Annotated[str, Field(max_length=MAX_EMAIL_LENGTH), ENCODABLE]
_EmailList = Annotated[list[_Email], Field(max_length=MAX_EMAILS)]
Emails = Annotated[_EmailList, BeforeValidator(one_or_many, json_schema_input_type=_Email | _EmailList)]
_IdList = Annotated[list[UUID], Field(min_length=1)]
Ids = Annotated[
    list[UUID],
    Field(min_length=1),
    BeforeValidator(one_or_many, json_schema_input_type=UUID | _IdList),
]


class Subscriber(Resource):
    """A person to call, with numbers in the order in which they are tried."""

    full_name: Name = Field(examples=["Ivan Potapov"])
    """The person's name."""

    phones: Phones = Field(examples=[["776429"]])
    """Numbers in the order in which they are called, until one call succeeds; one number or a list."""

    emails: Emails = Field(default_factory=list, examples=[[]])
    """E-mail addresses, stored but not used yet; one address or a list."""

    attributes: Attributes = Field(
        default_factory=dict,
        exclude_if=lambda attributes: not attributes,
        examples=[{"Address": "12 High St"}],
    )
    """Further facts about the person, texts by their names; they are given back, and not used."""

    time_zone: TimeZoneName | None = Field(
        default=None, exclude_if=lambda zone: zone is None, examples=["Asia/Yekaterinburg"]
    )
    """The IANA name of the zone in which the person lives, for settings with `localTime`."""

    consent: Consent | None = Field(default=None, exclude_if=lambda text: text is None, examples=["form 11"])
    """Evidence that the person agreed to be called: where and when. It is given back, and not used."""


class Contact(Resource):
    """A subscriber with an identity, as the data of `CallStarted` shows it."""

    full_name: str
    phones: list[str]
    emails: list[str] = Field(default_factory=list)
    attributes: dict[str, str] = Field(default_factory=dict, exclude_if=lambda attributes: not attributes)
    time_zone: str | None = Field(default=None, exclude_if=lambda zone: zone is None)
    consent: str | None = Field(default=None, exclude_if=lambda consent: consent is None)
    shared_with: list[str] = Field(default_factory=list, exclude_if=lambda names: not names)
    """The names of the others who share the call."""

    id: UUID


class Versioned(Resource):
    """A resource that can be changed. `version` increases with every change; 0 means not stored yet.

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
    duplicates: ListDuplicates | None = Field(default=None, exclude_if=lambda duplicates: duplicates is None)


class SuccessCondition(StrEnum):
    """The condition for a successful call (manual, 3.3)."""

    PICKUP_PHONE = "PICKUP_PHONE"
    PICKUP_AND_LISTEN_SOME = "PICKUP_AND_LISTEN_SOME"
    PICKUP_AND_LISTEN_FULL = "PICKUP_AND_LISTEN_FULL"
    PICKUP_AND_CONFIRM = "PICKUP_AND_CONFIRM"


MAX_RETRY_RULES = 20
MAX_EXCLUDED_DATES = 366


class SettingsSpec(Resource):
    """The fields of notification settings that a client sends; durations in seconds."""

    name: Name = Field(examples=["profile_1"])
    """A name of 1 to 200 characters, not only blanks."""

    attempt_count: int = Field(ge=1, le=100, examples=[2])
    """The maximum number of waves, and so of attempts per subscriber."""

    attempt_delay_s: int = Field(default=0, ge=0, le=604_800, examples=[60])
    """The minimum time between the end of a wave and the next wave, in seconds."""

    success_condition: SuccessCondition = Field(examples=["PICKUP_PHONE"])
    """What counts as reached: `PICKUP_PHONE` answered; `PICKUP_AND_LISTEN_SOME` and heard
    `successPlaybackDurationS` seconds; `PICKUP_AND_LISTEN_FULL` and heard everything; `PICKUP_AND_CONFIRM`
    and keyed `confirmCode`."""

    success_playback_duration_s: int = Field(default=0, ge=0, le=3_600, examples=[5])
    """How much must be heard, in seconds, with `PICKUP_AND_LISTEN_SOME`; at most the whole message."""

    max_call_duration_s: int = Field(default=300, ge=1, le=7_200, examples=[90])
    """The maximum duration of a call, in seconds from the answer."""

    max_answer_delay_s: int = Field(default=30, ge=0, le=300, examples=[30])
    """How long a call may ring, in seconds; 0: the limit of the station."""

    time_restrictions: TimeRestrictions | None = Field(
        default=None, examples=[{"fromMin": 30, "fromHour": 8, "tillMin": 30, "tillHour": 18}]
    )
    """When calls may start; absent: at any time."""

    time_zone: TimeZoneName | None = None
    """The IANA name of the zone of `timeRestrictions`; absent: the configured one."""

    weekdays: Annotated[list[Weekday], Field(min_length=1), AfterValidator(_once_each)] | None = Field(
        default=None, examples=[["MON", "TUE", "WED", "THU", "FRI"]]
    )
    """The days on which calls may start; absent: all."""

    excluded_dates: Annotated[list[Day], Field(max_length=MAX_EXCLUDED_DATES)] = Field(
        default_factory=list, exclude_if=lambda dates: not dates, examples=[["2024-05-09"]]
    )
    """Days on which no calls start, such as holidays. A window over midnight belongs to the day it opens."""

    holidays: HolidayCalendar | None = Field(default=None, exclude_if=lambda calendar: calendar is None)
    """The country on whose public holidays no calls start, such as `RU`, or a part of it: `DE-BY`."""

    local_time: LocalTime | None = Field(default=None, exclude_if=lambda local: local is None)
    """The hours, weekdays and dates are those of each subscriber's own zone; absent: of `timeZone`."""

    confirm_code: str = Field(default="1", pattern=r"^[0-9*#]{1,16}$")
    """The code that must be keyed with `PICKUP_AND_CONFIRM`."""

    repeat_count: int = Field(default=1, ge=1, le=10)
    """How often the files are played in a call."""

    retry_rules: Annotated[list[RetryRule], Field(max_length=MAX_RETRY_RULES)] = Field(
        default_factory=list, exclude_if=lambda rules: not rules
    )
    """What follows an unsuccessful call, by its outcome; the first rule that applies counts. Without one, the
    next number follows, and the number is called again in the next wave."""

    skip_hopeless: bool = Field(default=False, exclude_if=lambda skip: not skip)
    """Whether later waves leave out the numbers that were `INVALID_NUMBER` or `REFUSED` in an earlier one."""

    opt_out_key: Key | None = Field(default=None, exclude_if=lambda key: key is None, examples=["9"])
    """The key by which the called person asks not to be called again; absent: none. The number is put on an
    exclusion list, and the person is not called again in the execution."""

    opt_out_list: Name | None = Field(
        default=None, exclude_if=lambda name: name is None, examples=["opt-out"]
    )
    """The name of the exclusion list of the task's user that `optOutKey` uses; absent: `opt-out`. It is made
    with its first number if there is none."""

    opt_out_file: UUID | None = Field(default=None, exclude_if=lambda file: file is None, examples=[AUDIO_ID])
    """The id of an audio file that is played after `optOutKey`; absent: the call ends at once."""

    repeat_key: Key | None = Field(default=None, exclude_if=lambda key: key is None, examples=["0"])
    """The key that plays the message again from its start, 5 times at most in a call; absent: none."""

    contact_limits: ContactLimits | None = Field(default=None, exclude_if=lambda limits: limits is None)
    """How often a number may be called with these settings, beside the limits of the user and of the system:
    all of them hold, and the user's calls count."""

    @model_validator(mode="after")
    def _playback_duration_is_given(self) -> Self:
        needed = self.success_condition is SuccessCondition.PICKUP_AND_LISTEN_SOME
        if needed and "success_playback_duration_s" not in self.model_fields_set:
            msg = "successPlaybackDurationS is needed with PICKUP_AND_LISTEN_SOME"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _keys_have_one_meaning(self) -> Self:
        awaits_code = self.success_condition is SuccessCondition.PICKUP_AND_CONFIRM
        check_keys(self, self.confirm_code if awaits_code else "")
        return self


class NotificationSettings(SettingsSpec, Versioned):
    """Stored notification settings."""

    id: UUID
    user_id: str


class TaskSpec(Resource):
    """The fields of a task that a client sends."""

    name: Name = Field(examples=["task_2024-03-24"])
    """A name of 1 to 200 characters, not only blanks."""

    settings: UUID = Field(examples=[SETTINGS_ID])
    """The id of notification settings."""

    files: Ids = Field(examples=[[AUDIO_ID]])
    """Ids of audio files, in the order in which they are played; one id or a list of ids."""

    groups: Annotated[Ids, AfterValidator(_once_each)] = Field(examples=[[GROUP_ID]])
    """Ids of subscriber groups, one id or a list. A person in several groups is called once."""

    start_at: Instant | None = None
    """No calls start before this time."""

    expires_at: Instant | None = None
    """The execution ends at this time."""

    priority: int = Field(default=0, ge=-10, le=10)
    """The priority for channels when there are too few: higher comes first."""

    caller_id: Name | None = Field(default=None, exclude_if=lambda caller: caller is None, examples=["7764"])
    """The number that the called person sees, one of `callerIds` of a station; absent: the station's own."""

    purpose: Name | None = Field(
        default=None, exclude_if=lambda purpose: purpose is None, examples=["Flood warning drill"]
    )
    """What the calls are for: kept with the task and its executions."""

    exclusion_lists: Annotated[list[UUID], Field(max_length=100), AfterValidator(_once_each)] | None = Field(
        default=None, exclude_if=lambda lists: lists is None
    )
    """Ids of exclusion lists whose numbers are not called; absent: all of the user. Those of the system count
    in any case."""

    ignore_exclusions: bool = Field(default=False, exclude_if=lambda ignore: not ignore)
    """Whether excluded numbers are called as well; this needs the permission `emergency`."""

    ignore_contact_limits: bool = Field(default=False, exclude_if=lambda ignore: not ignore)
    """Whether the limits of contacts do not hold; this needs the permission `emergency`."""

    share_phone: bool = Field(default=False, exclude_if=lambda share: not share)
    """Whether people with the same numbers share their calls; the result of a call is that of all of them."""


class Task(TaskSpec, Versioned):
    """A stored task."""

    id: UUID
    user_id: str


class StartResult(StrEnum):
    """The result of starting a task (manual, 3.5)."""

    SUCCESS = "SUCCESS"
    FAIL_NO_CHANNELS = "FAIL_NO_CHANNELS"


class TaskStart(Resource):
    """The answer to starting a task; there is no execution without channels."""

    task_exec_id: UUID | None = Field(examples=[EXECUTION_ID])
    """The execution's id; null if there is none."""

    result: StartResult = Field(examples=["SUCCESS"])
    """`SUCCESS`, or `FAIL_NO_CHANNELS` if no channels are configured or licensed."""
