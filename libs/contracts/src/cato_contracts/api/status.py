"""The status document (manual, 3.6) and the queries behind it."""

from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import Base64UrlBytes, Field, JsonValue

from cato_contracts.api.examples import (
    EVENT_EXAMPLES,
    EXECUTION_ID,
    OTHER_EXECUTION_ID,
    SIP_CALL_ID,
    STATION_ID,
    TASK_ID,
)
from cato_contracts.api.reasons import EndReason
from cato_contracts.api.resources import Page
from cato_contracts.api.rules.approvals import Approval
from cato_contracts.api.rules.households import Household, SharedWith
from cato_contracts.model import Frozen, Instant, Resource
from cato_contracts.requests import Query, compressed, decompressed

SERVICE = "reporting"


class RunState(StrEnum):
    """The state of a run."""

    WAITING = "WAITING"
    CALLING = "CALLING"
    BETWEEN_WAVES = "BETWEEN_WAVES"
    OUT_OF_HOURS = "OUT_OF_HOURS"
    STATION_DOWN = "STATION_DOWN"
    """No station responds. The run goes on when one does."""
    PAUSED = "PAUSED"
    STOPPING = "STOPPING"
    FINISHED = "FINISHED"
    STOPPED = "STOPPED"


class Report(Resource):
    """The numbers of a run, which the table in the API's documentation defines."""

    name: str = Field(examples=["task_2024-03-24"])
    """The task's name."""

    subscriber_count: int = Field(examples=[2])
    """The number of subscribers."""

    subscriber_not_yet_notified: int = Field(examples=[0])
    """Subscribers without a result in the current wave."""

    subscriber_notified: int = Field(examples=[1])
    """Subscribers who were reached, in any wave."""

    subscriber_failed: int = Field(examples=[1])
    """Subscribers who were tried in the current wave and not reached."""

    subscriber_failed_by_rule: dict[str, int] = Field(
        default_factory=dict, examples=[{"no-number-left": 1}], exclude_if=lambda counts: not counts
    )
    """Those of `subscriberFailed` whom a rule decided without a call, or who asked not to be called again
    (`opted-out`), by reason; absent: none."""

    subscriber_sharing: int = Field(default=0, examples=[1], exclude_if=lambda count: not count)
    """Subscribers who share the calls of another one, listed at that one (`sharePhone`); absent: none."""

    calls_total: int = Field(examples=[3])
    """Calls started: succeeded, failed and in progress together."""

    calls_succeeded: int = Field(examples=[1])
    """Calls that reached the subscriber."""

    calls_failed: int = Field(examples=[2])
    """Calls that ended without reaching the subscriber."""

    calls_in_progress: int = Field(examples=[0])
    """Calls that are up: ringing and talking together."""

    calls_delayed: int = Field(examples=[0])
    """Calls that had to wait for the station's least time between calls."""

    calls_ringing: int = Field(examples=[0])
    """Calls that have not been answered yet."""

    calls_talking: int = Field(examples=[0])
    """Calls that have been answered."""

    wave_current: int = Field(examples=[2])
    """The wave, from 1."""

    wave_total: int = Field(examples=[2])
    """The maximum number of waves."""

    active_phase: bool = Field(examples=[False])
    """True until the execution has ended."""

    state: RunState = Field(examples=["FINISHED"])
    """The state of the execution."""

    eta: Instant | None = None
    """The estimated end, if it can be estimated."""

    end_reason: EndReason | None = Field(default=None, exclude_if=lambda reason: reason is None)
    """Why the execution ended before its work was done; absent otherwise."""

    t50: int | None = Field(default=None, ge=0, examples=[19])
    """Seconds from `startedAt` until half of those who were reached were reached; null: nobody was. While the
    execution is in progress, of those who were reached so far."""

    t90: int | None = Field(default=None, ge=0, examples=[95])
    """The same for 90 % of those who were reached."""


class CallEventView(Resource):
    """An event of a call; `time` in Unix ms."""

    time: int = Field(examples=[1711266311700])
    """Unix time in milliseconds."""

    name: str = Field(examples=["CS defined"])
    """The event: `CallStarted`, `Trying`, `Ringing`, `OK`, `CallEnded`, ..."""

    status: str = Field(examples=["CS_DEFINED"])
    """The state of the call after the event."""

    data: JsonValue = Field(default=None, examples=[STATION_ID])
    """The data of the event: the contact, the station, `SIP_CODE:486`, `DIGIT:1`."""


class CallView(Resource):
    """A call; times in Unix ms, None for events that did not happen."""

    cs_id: UUID | None = Field(examples=[STATION_ID])
    """The station that the call went through; null: none was chosen."""

    call_start: int = Field(examples=[1711266311695])
    """Unix time in milliseconds."""

    call_ring_start: int | None = Field(examples=[1711266312101])
    """When it began to ring, in Unix milliseconds; null: never."""

    call_talking_start: int | None = Field(examples=[1711266315044])
    """When it was answered, in Unix milliseconds; null: never."""

    call_end: int | None = Field(examples=[1711266321470])
    """When it ended, in Unix milliseconds; null: it has not ended."""

    success: bool = Field(examples=[True])
    """Whether the subscriber was reached by this call."""

    delayed: bool = Field(examples=[False])
    """Whether the call had to wait for the station's least time between calls."""

    reason_header: str | None = Field(
        default=None, examples=["Q.850;cause=16"], exclude_if=lambda header: header is None
    )
    """What the station said about the end in `Reason` (RFC 3326) and `Warning`; absent: nothing."""

    sip_call_id: str | None = Field(
        default=None, examples=[SIP_CALL_ID], exclude_if=lambda call_id: call_id is None
    )
    """The `Call-ID` of the last INVITE of the call; absent: none was sent."""

    events: list[CallEventView] = Field(default_factory=list, examples=[EVENT_EXAMPLES])
    """The events of the call, in order."""


class PhoneView(Resource):
    """The calls to one number of a subscriber."""

    number: str = Field(examples=["776429"])
    """The number that was called."""

    calls: list[CallView]
    """Calls to this number, oldest first."""


class SubscriberView(Resource):
    """The subscriber as in the group's list."""

    full_name: str = Field(examples=["Ivan Potapov"])
    """The person's name."""

    phones: list[str] = Field(examples=[["776429"]])
    """Numbers in the order in which they are called, until one call succeeds."""

    emails: list[str] = Field(examples=[[]])
    """E-mail addresses; stored, but not used yet."""

    attributes: dict[str, str] = Field(
        default_factory=dict,
        exclude_if=lambda attributes: not attributes,
        examples=[{"Address": "12 High St"}],
    )
    """Further facts about the person, from the list; absent if there are none."""

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


class SubscriberStatus(Resource):
    """The results of one subscriber so far."""

    notified: bool = Field(examples=[True])
    """Whether the subscriber was reached."""

    subscriber: SubscriberView
    """The subscriber as in the group."""

    phones: list[PhoneView]
    """Numbers in the order in which they are called, until one call succeeds."""

    next_attempt_at: int | None = Field(
        default=None, examples=[1711266621470], exclude_if=lambda moment: moment is None
    )
    """When a retry rule calls the subscriber again, in Unix milliseconds; absent: no retry is planned."""

    household: Household = None
    """The first of the subscribers who share their calls: the calls are listed there; absent: shares none."""

    shared_with: SharedWith = Field(default_factory=list)
    """The names of the others who share the calls; absent: nobody."""


class TaskExec(Resource):
    """A run and its numbers, without the subscribers."""

    id: UUID = Field(examples=[EXECUTION_ID])
    """Chosen by the server."""

    task_id: UUID = Field(examples=[TASK_ID])
    """The task that is executed."""

    user_id: str = Field(examples=["user"])
    """The user that it belongs to: the token's own, or for administrators another one."""

    started_at: Instant = Field(examples=["2024-03-24T08:30:00Z"])
    """When it was started."""

    ended_at: Instant | None = Field(examples=["2024-03-24T08:32:00Z"])
    """When it ended; null: it is in progress."""

    report: Report
    """The numbers of the execution."""

    repeats: UUID | None = Field(
        default=None, exclude_if=lambda repeats: repeats is None, examples=[OTHER_EXECUTION_ID]
    )
    """The execution whose unreached subscribers this one calls; absent: it calls everyone."""

    test: bool = Field(default=False, exclude_if=lambda test: not test, examples=[True])
    """True for a test call; absent otherwise."""

    purpose: str | None = Field(
        default=None, exclude_if=lambda purpose: purpose is None, examples=["Flood warning drill"]
    )
    """What the calls are for, as the task said at the start; absent: it said nothing."""

    approval: Approval | None = Field(default=None, exclude_if=lambda approval: approval is None)
    """The approval by a second user that it needs before its first call; absent: it needs none."""


class SubscriberFilter(StrEnum):
    """Which subscribers a status document lists.

    `failed`: those with a result in the current wave who were not reached. `unreached`: all who were not
    reached so far, whether they were called or not; with `subscriberNotified` they add up to all.
    """

    ALL = "all"
    FAILED = "failed"
    UNREACHED = "unreached"
    NONE = "none"


class GetTaskExec(Query[TaskExec]):
    service: ClassVar[str] = SERVICE
    id: UUID


class ListTaskExecs(Query[Page[TaskExec]]):
    """Runs, newest first; `ended_since`: of the ended ones, only those that ended at or after this time;
    `awaits_approval`: those that wait for an approval, also those that the actor may only approve.
    """

    service: ClassVar[str] = SERVICE
    task_id: UUID | None = None
    active: bool | None = None
    ended_since: Instant | None = Field(default=None, exclude_if=lambda since: since is None)
    awaits_approval: bool = Field(default=False, exclude_if=lambda waits: not waits)
    limit: int = Field(default=100, ge=1, le=1000)
    cursor: str | None = None


class StatusText(Frozen):
    """Part of a run's subscribers, as JSON text of the status document.

    `data` is `count` JSON objects of `SubscriberStatus` with commas between them, compressed (Zstandard,
    RFC 8878): a third of the size of zlib at its fastest level, in a quarter of the time.
    """

    data: Base64UrlBytes
    count: int
    next_cursor: str | None = None

    @classmethod
    def of(cls, text: bytes, *, count: int, next_cursor: str | None = None) -> "StatusText":
        """Compress the text."""
        # Not validated, because validation would decode the bytes as Base64.
        return cls.model_construct(data=compressed(text), count=count, next_cursor=next_cursor)

    def text(self) -> bytes:
        return decompressed(self.data)


STATUS_TEXT_LIMIT = 2000
"""The maximum of subscribers per `GetStatusText`: larger pages spread the fixed cost of a query."""


class GetStatusText(Query[StatusText]):
    """Part of a run's subscribers, in the order of the list, as text of the status document."""

    service: ClassVar[str] = SERVICE
    run_id: UUID
    filter: SubscriberFilter = SubscriberFilter.ALL
    events: bool = True
    limit: int = Field(default=100, ge=1, le=STATUS_TEXT_LIMIT)
    cursor: str | None = None
