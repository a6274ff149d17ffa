"""The history of calls: the queries of `/calls` and `/statistics`."""

from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import Field

from cato_contracts.api.examples import (
    CALL_ID,
    EVENT_EXAMPLES,
    EXECUTION_ID,
    SIP_CALL_ID,
    STATION_ID,
    SUBSCRIBER_ID,
    TASK_ID,
)
from cato_contracts.api.reasons import ReasonWord
from cato_contracts.api.resources import Page
from cato_contracts.api.rules.households import Household, SharedWith
from cato_contracts.api.status import SERVICE, CallEventView
from cato_contracts.model import Frozen, Instant, Resource
from cato_contracts.requests import Query


class CallOutcome(StrEnum):
    """The phase of a call, or how it ended."""

    RINGING = "ringing"
    TALKING = "talking"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class CallFilter(Frozen):
    """Selects the calls that meet every given condition; they started at `since` <= t < `until`."""

    since: Instant | None = None
    until: Instant | None = None
    number: str | None = Field(default=None, min_length=1, max_length=200)
    run_id: UUID | None = None
    station_id: UUID | None = None
    outcome: CallOutcome | None = None
    name: str | None = Field(default=None, min_length=1, max_length=200, exclude_if=lambda name: name is None)
    """Every word of it is part of the subscriber's name, in any case."""
    sip_call_id: str | None = Field(
        default=None, min_length=1, max_length=300, exclude_if=lambda call_id: call_id is None
    )


class CallRecord(Resource):
    """A call. Times are instants, durations in ms; None if that point was not reached or is not known yet.

    `task_exec_id` is the run; `wave` counts from 1; `sip_code` is the final response; `reason` a word of the
    classifier, None while the call is up; `pdd_ms` (post-dial delay) runs from the start to the first ringing
    or, without ringing, the answer; `talk_ms` from the answer to the end; `heard_ms` is prompt sent, by RTP
    packets; `digits` is what was keyed, in order.
    """

    id: UUID = Field(examples=[CALL_ID])
    """Chosen by the server."""

    task_exec_id: UUID = Field(examples=[EXECUTION_ID])
    """The execution's id."""

    task_id: UUID = Field(examples=[TASK_ID])
    """The task that is executed."""

    task_name: str = Field(examples=["task_2024-03-24"])
    """The task's name when it was started."""

    subscriber_id: UUID | None = Field(examples=[SUBSCRIBER_ID])
    """The subscriber that was called; null: no longer known."""

    subscriber_name: str | None = Field(examples=["Ivan Potapov"])
    """The subscriber's name."""

    wave: int = Field(examples=[1])
    """The wave in which the call was made, from 1."""

    number: str = Field(examples=["776429"])
    """The number that was called."""

    station_id: UUID | None = Field(examples=[STATION_ID])
    """The station that the call went through; null: none was chosen."""

    started_at: Instant = Field(examples=["2024-03-24T07:45:11.695Z"])
    """When the call started."""

    ringing_at: Instant | None = Field(examples=["2024-03-24T07:45:12.101Z"])
    """When it began to ring; null: it did not ring."""

    answered_at: Instant | None = Field(examples=["2024-03-24T07:45:15.044Z"])
    """When it was answered; null: it was not answered."""

    ended_at: Instant | None = Field(examples=["2024-03-24T07:45:21.470Z"])
    """When it ended; null: it is in progress."""

    outcome: CallOutcome = Field(examples=["succeeded"])
    """The phase of the call, or how it ended."""

    success: bool = Field(examples=[True])
    """Whether the subscriber was reached by this call."""

    sip_code: int | None = Field(examples=[200])
    """The final SIP response; null: there was none."""

    reason: ReasonWord | None = Field(examples=["heard-to-the-end"])
    """The reason of the end, as a kebab-case word; null: the call has not ended."""

    pdd_ms: int | None = Field(examples=[406])
    """From the start to the first ringing or, without ringing, to the answer, in milliseconds."""

    talk_ms: int | None = Field(examples=[6426])
    """From the answer to the end, in milliseconds."""

    heard_ms: int | None = Field(examples=[6390])
    """How much of the message was sent, in milliseconds."""

    digits: str = Field(examples=[""])
    """The keyed digits, in order."""

    delayed: bool = Field(examples=[False])
    """Whether the call had to wait for the minimum interval of the station."""

    reason_header: str | None = Field(default=None, examples=['Q.850;cause=16;text="Normal call clearing"'])
    """What the station said about the end in `Reason` (RFC 3326, with a cause of Q.850) and `Warning`."""

    sip_call_id: str | None = Field(default=None, examples=[SIP_CALL_ID])
    """The `Call-ID` of the last INVITE of the call, as in the logs of the station; null: none was sent."""

    shared_with: SharedWith = Field(default_factory=list)
    """The names of the others who share the call (`sharePhone`); absent in JSON if there are none."""


class CallDetail(CallRecord):
    """A call with its events."""

    events: list[CallEventView] = Field(examples=[EVENT_EXAMPLES])
    """The events, in order."""


class FoundSubscriber(Resource):
    """A subscriber of an execution who has the number or the name of a search, called or not."""

    task_exec_id: UUID = Field(examples=[EXECUTION_ID])
    """The execution's id."""

    task_id: UUID = Field(examples=[TASK_ID])
    """The task that is executed."""

    task_name: str = Field(examples=["task_2024-03-24"])
    """The task's name when it was started."""

    subscriber_id: UUID = Field(examples=[SUBSCRIBER_ID])
    """The subscriber."""

    subscriber_name: str = Field(examples=["Ivan Potapov"])
    """The subscriber's name."""

    phones: list[str] = Field(examples=[["776429"]])
    """Numbers in the order in which they are called, until one call succeeds."""

    notified: bool = Field(examples=[True])
    """Whether the subscriber was reached in this execution."""

    calls: int = Field(examples=[2])
    """Calls to the subscriber in this execution, shared ones too; 0: never called."""

    reason: ReasonWord | None = Field(examples=["heard-to-the-end"])
    """The reason of the latest result, as a kebab-case word; null: there is no result yet."""

    household: Household = None
    """The first of the subscribers who share their calls; absent: the subscriber shares none."""

    shared_with: SharedWith = Field(default_factory=list)
    """The names of the others who share the calls; absent: nobody."""


class CallPage(Page[CallRecord]):
    """A page of calls."""

    subscribers: list[FoundSubscriber] | None = Field(default=None, exclude_if=lambda found: found is None)
    """With `number` or `name`, on the first page: the subscribers who have it, those never called too."""


class ListCalls(Query[CallPage]):
    """List calls, the latest start first. A page may have fewer than `limit` calls, or none.

    Only a `next_cursor` of None means that there are no more. `subscribers`: give the first page of a search
    by number or name the subscribers, too, at most 100, of the latest executions first.
    """

    service: ClassVar[str] = SERVICE
    where: CallFilter = CallFilter()
    limit: int = Field(default=100, ge=1, le=1000)
    cursor: str | None = None
    subscribers: bool = Field(default=False, exclude_if=lambda wanted: not wanted)


class GetCall(Query[CallDetail]):
    service: ClassVar[str] = SERVICE
    id: UUID


class Grouping(StrEnum):
    """The grouping of statistics; hours, days and weekdays are those of the requested zone."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    HOUR_OF_DAY = "hourOfDay"
    WEEKDAY = "weekday"
    WAVE = "wave"
    ATTEMPT = "attempt"
    """The number of the call among those of the execution to the subscriber, from 1."""
    TASK = "task"
    STATION = "station"
    OUTCOME = "outcome"
    SIP_CODE = "sipCode"
    REASON = "reason"
    PREFIX = "prefix"
    """The first four digits of the number."""


class CallStatistics(Resource):
    """The statistics of a group of calls, by the definitions of ITU-T E.411 and E.425.

    `key` is an instant of ISO 8601 (minute, hour), a date (day), the number of a wave
    or an attempt, the id of a task or station, an outcome, a SIP code or a reason; None is for calls without.
    `label` is the name of the task, where it is one.
    `attempts` counts calls that were started, `in_progress` those of them that are up; the ratios and means
    are of the calls that ended, None where there is none: `asr` (answer seizure ratio) answered / ended,
    `ner` (network effectiveness ratio) ended with an answer, busy, no answer or a refusal by the person /
    ended, `acd_ms` (average call duration) of the answered ones from the answer to the end, `pdd_ms` and
    `pdd_p95_ms` (post-dial delay; mean, and exact 95th percentile) from the start to the first ringing or,
    without ringing, the answer, of those that came so far.
    """

    key: str | None = Field(examples=["2024-03-24"])
    """The minute or hour (a time), the day (a date), the hour of the day (0 to 23), the weekday (`MON`), the
    number of the wave, the number of the attempt (the first call of an execution to the subscriber is 1), the
    id of the task or station, the outcome, the SIP code, the reason or the first four digits of the number;
    null: calls that have none, or all of them."""

    label: str | None = None
    """The name of the task, for a group by task."""

    attempts: int = Field(examples=[3])
    """Calls that were started."""

    in_progress: int = Field(examples=[0])
    """Calls in progress."""

    answered: int = Field(examples=[1])
    """Calls that were answered."""

    succeeded: int = Field(examples=[1])
    """Calls that reached the subscriber."""

    failed: int = Field(examples=[2])
    """Calls that ended without reaching the subscriber."""

    delayed: int = Field(examples=[0])
    """Calls that had to wait for the minimum interval of the station."""

    asr: float | None = Field(examples=[0.3333333333333333])
    """Answer seizure ratio (ITU-T E.411): answered / ended."""

    ner: float | None = Field(examples=[1.0])
    """Network effectiveness ratio (ITU-T E.425): answer, busy, no answer or rejection / ended."""

    acd_ms: float | None = Field(examples=[6426.0])
    """Average call duration of answered calls, from the answer to the end, in milliseconds."""

    pdd_ms: float | None = Field(examples=[420.0])
    """The mean time to the first ringing or the answer, in milliseconds."""

    pdd_p95_ms: float | None = Field(examples=[512.0])
    """The 95th percentile of that time, in milliseconds."""


class Statistics(Resource):
    """Statistics by group, and of all calls together (`key` is None)."""

    group_by: Grouping = Field(examples=["day"])
    """The grouping."""

    groups: list[CallStatistics]
    """One entry per group: times, waves and attempts in order, other groups with the most calls first."""

    total: CallStatistics = Field(
        examples=[
            {
                "key": None,
                "label": None,
                "attempts": 3,
                "inProgress": 0,
                "answered": 1,
                "succeeded": 1,
                "failed": 2,
                "delayed": 0,
                "asr": 0.3333333333333333,
                "ner": 1.0,
                "acdMs": 6426.0,
                "pddMs": 420.0,
                "pddP95Ms": 512.0,
            }
        ]
    )
    """All calls together."""


class GetStatistics(Query[Statistics]):
    """Get statistics: hours and days in the order of time, other groups with the most calls first.

    More than 10,000 groups, or more than fit into a message (some 2,500), are rejected as too large.
    """

    service: ClassVar[str] = SERVICE
    where: CallFilter = CallFilter()
    group_by: Grouping
    time_zone: str | None = None
    """The zone of hours and days, an IANA name; None is the configured zone."""
