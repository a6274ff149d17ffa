"""The history of calls: the queries of `/calls` and `/statistics`, for analysts."""

from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import Base64UrlBytes, Field

from cato_contracts.examples import CALL_ID, EXECUTION_ID, STATION_ID, SUBSCRIBER_ID, TASK_ID
from cato_contracts.model import Frozen, Instant, Resource
from cato_contracts.requests import Command, Query
from cato_contracts.resources import Page
from cato_contracts.status import EVENT_EXAMPLES, SERVICE, CallEventView


class CallOutcome(StrEnum):
    """Where a call stands, or how it ended."""

    RINGING = "ringing"
    TALKING = "talking"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class CallFilter(Frozen):
    """Which calls are meant: those that meet every condition given, by their start `since` <= t < `until`."""

    since: Instant | None = None
    until: Instant | None = None
    number: str | None = Field(default=None, min_length=1, max_length=200)
    run_id: UUID | None = None
    station_id: UUID | None = None
    outcome: CallOutcome | None = None


class CallRecord(Resource):
    """A call, flat. Times are instants, lengths in ms, None for what did not happen or is not known yet.

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
    """The subscriber that was called; null: not known any more."""

    subscriber_name: str | None = Field(examples=["Ivan Potapov"])
    """The subscriber's name."""

    wave: int = Field(examples=[1])
    """The wave in which the call was made, from 1."""

    number: str = Field(examples=["776429"])
    """The number that was called."""

    station_id: UUID | None = Field(examples=[STATION_ID])
    """The station that the call went through; null: none was chosen."""

    started_at: Instant = Field(examples=["2024-03-24T07:45:11.695Z"])
    """When the call began."""

    ringing_at: Instant | None = Field(examples=["2024-03-24T07:45:12.101Z"])
    """When it began to ring; null: never."""

    answered_at: Instant | None = Field(examples=["2024-03-24T07:45:15.044Z"])
    """When it was answered; null: never."""

    ended_at: Instant | None = Field(examples=["2024-03-24T07:45:21.470Z"])
    """When it ended; null: it goes on."""

    outcome: CallOutcome = Field(examples=["succeeded"])
    """Where the call stands, or how it ended."""

    success: bool = Field(examples=[True])
    """Whether the subscriber was reached by this call."""

    sip_code: int | None = Field(examples=[200])
    """The final response of SIP; null: there was none."""

    reason: str | None = Field(examples=["heard-to-the-end"])
    """The reason of the end, as one word; null: it has not ended."""

    pdd_ms: int | None = Field(examples=[406])
    """From the start to the first ringing or, without it, the answer, in milliseconds."""

    talk_ms: int | None = Field(examples=[6426])
    """From the answer to the end, in milliseconds."""

    heard_ms: int | None = Field(examples=[6390])
    """How much of the message was sent, in milliseconds."""

    digits: str = Field(examples=[""])
    """What was keyed, in order."""

    delayed: bool = Field(examples=[False])
    """Whether the call had to wait for the station's least time between calls."""


class CallDetail(CallRecord):
    """A call with its events."""

    events: list[CallEventView] = Field(examples=[EVENT_EXAMPLES])
    """What happened, in order."""


class ListCalls(Query[Page[CallRecord]]):
    """Calls, the latest start first; fewer than `limit`, perhaps none, when they are large or far between.

    Only a `next_cursor` of None says that there are no more.
    """

    service: ClassVar[str] = SERVICE
    where: CallFilter = CallFilter()
    limit: int = Field(default=100, ge=1, le=1000)
    cursor: str | None = None


class GetCall(Query[CallDetail]):
    service: ClassVar[str] = SERVICE
    id: UUID


class Grouping(StrEnum):
    """What a line of the statistics is about; hours and days are those of the zone asked for."""

    HOUR = "hour"
    DAY = "day"
    TASK = "task"
    STATION = "station"
    OUTCOME = "outcome"
    SIP_CODE = "sipCode"


class CallStatistics(Resource):
    """The figures of some calls, by ITU-T E.411 and E.425 where those define them.

    `key` is an instant of ISO 8601 (hour), a date (day), the id of a task or station, an outcome or a SIP
    code; None is for calls that have none. `label` is the name of the task, where it is one.
    `attempts` counts calls that were started, `in_progress` those of them that are up; the ratios and means
    are of the calls that ended, None where there is none: `asr` (answer seizure ratio) answered / ended,
    `ner` (network effectiveness ratio) ended with an answer, busy, no answer or a refusal by the person /
    ended, `acd_ms` (average call duration) of the answered ones from the answer to the end, `pdd_ms` and
    `pdd_p95_ms` (post-dial delay; mean, and exact 95th percentile) from the start to the first ringing or,
    without ringing, the answer, of those that came so far.
    """

    key: str | None = Field(examples=["2024-03-24"])
    """The hour (a time), the day (a date), the id of the task or station, the outcome or the SIP code; null:
    calls that have none, or all of them."""

    label: str | None = None
    """The task's name, where the line is about a task."""

    attempts: int = Field(examples=[3])
    """Calls that were started."""

    in_progress: int = Field(examples=[0])
    """Those of them that are up."""

    answered: int = Field(examples=[1])
    """Those that were answered."""

    succeeded: int = Field(examples=[1])
    """Those that reached the subscriber."""

    failed: int = Field(examples=[2])
    """Those that ended without reaching the subscriber."""

    delayed: int = Field(examples=[0])
    """Those that had to wait for the station's least time between calls."""

    asr: float | None = Field(examples=[0.3333333333333333])
    """Answer seizure ratio (ITU-T E.411): answered / ended."""

    ner: float | None = Field(examples=[1.0])
    """Network effectiveness ratio (ITU-T E.425): answer, busy, no answer or refusal / ended."""

    acd_ms: float | None = Field(examples=[6426.0])
    """Average call duration: of those answered, from the answer to the end, in milliseconds."""

    pdd_ms: float | None = Field(examples=[420.0])
    """The mean time to the first ringing or the answer, in milliseconds."""

    pdd_p95_ms: float | None = Field(examples=[512.0])
    """95 of 100 calls rang or were answered within this time, in milliseconds."""


class Statistics(Resource):
    """The figures by group, and of all of them together (`key` None)."""

    group_by: Grouping = Field(examples=["day"])
    """What the lines are about."""

    groups: list[CallStatistics]
    """A line for each: hours and days in order, others with the most calls first."""

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
    """All of them together."""


class GetStatistics(Query[Statistics]):
    """Hours and days in the order of time, the rest with the most calls first.

    At most 10,000 groups, and what a message can carry (some 2,500): refused as too large beyond that.
    """

    service: ClassVar[str] = SERVICE
    where: CallFilter = CallFilter()
    group_by: Grouping
    time_zone: str | None = None
    """An IANA name for hours and days; None is the configured zone."""


class ExportFormat(StrEnum):
    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"


class CallExport(Frozen):
    """An export that has begun."""

    id: UUID


class BeginCallExport(Command[CallExport]):
    """Open an export of calls, the earliest start first, with the columns of `CallRecord`."""

    service: ClassVar[str] = SERVICE
    where: CallFilter = CallFilter()
    format: ExportFormat


class ExportPiece(Frozen):
    """The next bytes of an export, at most 512 KiB; `last` when nothing follows.

    A piece that is not the last may be short or empty, when the calls are far between.
    `data` is decoded on validation: from bytes themselves it is made with `model_construct`.
    """

    data: Base64UrlBytes
    last: bool


class TakeExportPiece(Command[ExportPiece]):
    """Take the next piece; piece `place` (from 0) may be asked for again until the next one is taken.

    An export that nobody takes from for a minute is gone, and so are all when the service restarts or its
    tables are exchanged.
    """

    service: ClassVar[str] = SERVICE
    id: UUID
    place: int = Field(ge=0)


class EndCallExport(Command[None]):
    """Let go of an export before its end."""

    service: ClassVar[str] = SERVICE
    id: UUID
