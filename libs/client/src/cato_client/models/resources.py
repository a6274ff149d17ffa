"""The resources of the API. Unknown fields are ignored, so the server may be newer than the client."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import AwareDatetime, Field

from cato_client.models.base import (
    CallOutcome,
    Model,
    Page,
    Resource,
)
from cato_client.models.rules import Approval


class AudioWarning(Model):
    """What makes a message hard to understand, or should be checked."""

    code: str
    message: str


class AudioFile(Resource):
    """A recorded message. The levels are in dB below full scale, None for files of earlier versions."""

    url: str
    duration_ms: int
    size_bytes: int
    sha256: str
    created_at: datetime
    peak_dbfs: float | None = None
    rms_dbfs: float | None = None
    warnings: list[AudioWarning] = Field(default_factory=list)


class SubscriberGroup(Resource):
    """A stored list of subscribers; `duplicates` and `warnings` only in the answer to storing it."""

    url: str
    subscriber_count: int
    created_at: datetime
    duplicates: dict[str, int] | None = None
    warnings: list[str] = Field(default_factory=list)


class Contact(Model):
    """A name, and numbers in the order in which they are tried."""

    full_name: str
    phones: list[str]
    emails: list[str] = Field(default_factory=list)
    attributes: dict[str, str] = Field(default_factory=dict, exclude_if=lambda attributes: not attributes)


class Person(Contact):
    """A person to call."""

    time_zone: str | None = Field(default=None, exclude_if=lambda zone: zone is None)
    consent: str | None = Field(default=None, exclude_if=lambda consent: consent is None)


class Subscriber(Person):
    """A person in a stored group."""

    id: UUID


class TaskFields(Model):
    """The fields of a task."""

    settings: UUID
    files: list[UUID]
    groups: list[UUID]
    start_at: datetime | None = None
    expires_at: datetime | None = None
    priority: int | None = None
    caller_id: str | None = None
    purpose: str | None = None
    exclusion_lists: list[UUID] | None = None
    ignore_exclusions: bool | None = None
    ignore_contact_limits: bool | None = None
    share_phone: bool | None = None


class NewTask(TaskFields):
    """A new task."""

    name: str


class Task(TaskFields, Resource):
    """A stored task."""


class TaskStart(Model):
    """The answer to a start; `task_exec_id` is None if there are no channels."""

    task_exec_id: UUID | None
    result: str


class Report(Model):
    """The counts of an execution."""

    name: str
    subscriber_count: int
    subscriber_not_yet_notified: int
    subscriber_notified: int
    subscriber_failed: int
    subscriber_failed_by_rule: dict[str, int] = Field(default_factory=dict)
    subscriber_sharing: int = 0
    calls_total: int
    calls_succeeded: int
    calls_failed: int
    calls_in_progress: int
    calls_delayed: int
    calls_ringing: int
    calls_talking: int
    wave_current: int
    wave_total: int
    active_phase: bool
    state: str
    eta: datetime | None = None
    end_reason: str | None = None
    t50: int | None = None
    t90: int | None = None


class CallEvent(Model):
    """An event of a call; `time` in Unix milliseconds."""

    time: int
    name: str
    status: str
    data: Any = None


class Call(Model):
    """A call; times in Unix milliseconds, None if that point was not reached."""

    cs_id: UUID | None
    call_start: int
    call_ring_start: int | None
    call_talking_start: int | None
    call_end: int | None
    success: bool
    delayed: bool
    reason_header: str | None = None
    sip_call_id: str | None = None
    events: list[CallEvent] = Field(default_factory=list)


class Phone(Model):
    """The calls to one number."""

    number: str
    calls: list[Call]


class SubscriberStatus(Model):
    """The status of one subscriber."""

    notified: bool
    subscriber: Person
    phones: list[Phone]
    next_attempt_at: int | None = None
    household: UUID | None = None
    shared_with: list[str] = Field(default_factory=list)


class InvalidNumber(Model):
    """A number that does not exist, by the answer to its last call."""

    number: str
    subscriber_id: UUID | None
    full_name: str
    reason: str
    sip_code: int | None
    called_at: datetime


class StatusDocument(Model):
    """The status of an execution."""

    id: UUID
    task_id: UUID
    started_at: datetime
    ended_at: datetime | None
    report: Report
    subscribers: list[SubscriberStatus]
    next_cursor: str | None = None
    approval: Approval | None = None


class TaskExec(Model):
    """An execution and its counts."""

    id: UUID
    task_id: UUID
    user_id: str
    started_at: datetime
    ended_at: datetime | None
    report: Report
    repeats: UUID | None = None
    test: bool = False
    purpose: str | None = None
    approval: Approval | None = None


class RunSubscriber(Contact):
    """A subscriber of an execution: the latest result, None without one, and the number of calls."""

    subscriber_id: UUID
    notified: bool
    reason: str | None
    wave: int | None
    number: str | None
    calls: int
    last_call_at: datetime | None
    consent: str | None = None
    household: UUID | None = None
    shared_with: list[str] = Field(default_factory=list)


class StationFailure(Model):
    """A request that a station did not carry out; `sip_code` is None if it did not respond."""

    at: datetime
    reason: str
    sip_code: int | None = None
    text: str | None = None


class Station(Model):
    """A configured station, as the running dialers see it; `state`: UP, DOWN, RESTING or UNKNOWN."""

    id: UUID
    name: str
    engine: str
    state: str
    since: datetime | None = None
    resting_until: datetime | None = None
    last_failure: StationFailure | None = None
    registered: bool | None = None
    channels: int
    channels_in_use: int
    caller_ids: list[str] = Field(default_factory=list)
    dialers: int


class Me(Model):
    """The user that a token stands for, and its permissions."""

    user_id: str
    permissions: list[str]


class CallFilter(Model):
    """Selects the calls that meet every given condition; started at `since` <= t < `until`."""

    since: AwareDatetime | None = Field(default=None, serialization_alias="from")
    until: AwareDatetime | None = Field(default=None, serialization_alias="to")
    number: str | None = None
    task_exec_id: UUID | None = None
    station_id: UUID | None = None
    outcome: CallOutcome | None = None
    name: str | None = None
    sip_call_id: str | None = None


class CallRecord(Model):
    """A call in the history; durations in milliseconds, None if that point was not reached."""

    id: UUID
    task_exec_id: UUID
    task_id: UUID
    task_name: str
    subscriber_id: UUID | None
    subscriber_name: str | None
    wave: int
    number: str
    station_id: UUID | None
    started_at: datetime
    ringing_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    outcome: str
    success: bool
    sip_code: int | None
    reason: str | None
    pdd_ms: int | None
    talk_ms: int | None
    heard_ms: int | None
    digits: str
    delayed: bool
    reason_header: str | None = None
    sip_call_id: str | None = None
    shared_with: list[str] = Field(default_factory=list)


class FoundSubscriber(Model):
    """A subscriber of an execution who has the number or the name of a search; `calls` is 0: never called."""

    task_exec_id: UUID
    task_id: UUID
    task_name: str
    subscriber_id: UUID
    subscriber_name: str
    phones: list[str]
    notified: bool
    calls: int
    reason: str | None
    household: UUID | None = None
    shared_with: list[str] = Field(default_factory=list)


class CallPage(Page[CallRecord]):
    """A page of calls; of a search by number or name, the first page has the subscribers, too."""

    subscribers: list[FoundSubscriber] | None = None


class CallDetail(CallRecord):
    """A call in the history, with its events."""

    events: list[CallEvent]
