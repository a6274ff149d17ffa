"""The history of calls: the queries of `/calls` and `/statistics`, for analysts."""

from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import Base64UrlBytes, Field

from cato_contracts.model import Frozen, Instant, Resource
from cato_contracts.requests import Command, Query
from cato_contracts.resources import Page
from cato_contracts.status import SERVICE, CallEventView


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

    id: UUID
    task_exec_id: UUID
    task_id: UUID
    task_name: str
    subscriber_id: UUID | None
    subscriber_name: str | None
    wave: int
    number: str
    station_id: UUID | None
    started_at: Instant
    ringing_at: Instant | None
    answered_at: Instant | None
    ended_at: Instant | None
    outcome: CallOutcome
    success: bool
    sip_code: int | None
    reason: str | None
    pdd_ms: int | None
    talk_ms: int | None
    heard_ms: int | None
    digits: str
    delayed: bool


class CallDetail(CallRecord):
    """A call with its events."""

    events: list[CallEventView]


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

    key: str | None
    label: str | None = None
    attempts: int
    in_progress: int
    answered: int
    succeeded: int
    failed: int
    delayed: int
    asr: float | None
    ner: float | None
    acd_ms: float | None
    pdd_ms: float | None
    pdd_p95_ms: float | None


class Statistics(Resource):
    """The figures by group, and of all of them together (`key` None)."""

    group_by: Grouping
    groups: list[CallStatistics]
    total: CallStatistics


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
