"""The status document (manual, 3.6) and the queries behind it."""

import sys
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import Base64UrlBytes, Field, JsonValue

from cato_contracts.model import Frozen, Instant, Resource
from cato_contracts.requests import Query
from cato_contracts.resources import Page

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

SERVICE = "reporting"


class RunState(StrEnum):
    """What a run is doing."""

    WAITING = "WAITING"
    CALLING = "CALLING"
    BETWEEN_WAVES = "BETWEEN_WAVES"
    OUT_OF_HOURS = "OUT_OF_HOURS"
    PAUSED = "PAUSED"
    STOPPING = "STOPPING"
    FINISHED = "FINISHED"
    STOPPED = "STOPPED"


class Report(Resource):
    """The numbers of a run; their meaning is in the API's table."""

    name: str
    subscriber_count: int
    subscriber_not_yet_notified: int
    subscriber_notified: int
    subscriber_failed: int
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
    state: RunState
    eta: Instant | None = None


class CallEventView(Resource):
    """An event of a call; `time` in Unix ms."""

    time: int
    name: str
    status: str
    data: JsonValue = None


class CallView(Resource):
    """A call; times in Unix ms, None for what did not happen."""

    cs_id: UUID | None
    call_start: int
    call_ring_start: int | None
    call_talking_start: int | None
    call_end: int | None
    success: bool
    delayed: bool
    events: list[CallEventView] = Field(default_factory=list)


class PhoneView(Resource):
    """The calls to one number of a subscriber."""

    number: str
    calls: list[CallView]


class SubscriberView(Resource):
    """The subscriber as the group's list has it."""

    full_name: str
    phones: list[str]
    emails: list[str]


class SubscriberStatus(Resource):
    """What happened to one subscriber so far."""

    notified: bool
    subscriber: SubscriberView
    phones: list[PhoneView]


class TaskExec(Resource):
    """A run and its numbers, without the subscribers."""

    id: UUID
    task_id: UUID
    user_id: str
    started_at: Instant
    ended_at: Instant | None
    report: Report


class SubscriberFilter(StrEnum):
    """Which subscribers a status document lists."""

    ALL = "all"
    FAILED = "failed"
    NONE = "none"


class GetTaskExec(Query[TaskExec]):
    service: ClassVar[str] = SERVICE
    id: UUID


class ListTaskExecs(Query[Page[TaskExec]]):
    """Runs, newest first."""

    service: ClassVar[str] = SERVICE
    task_id: UUID | None = None
    active: bool | None = None
    limit: int = Field(default=100, ge=1, le=1000)
    cursor: str | None = None


class ListSubscriberStatuses(Query[Page[SubscriberStatus]]):
    """Part of a run's subscribers, in the order of the list; fewer than `limit` when they are large."""

    service: ClassVar[str] = SERVICE
    run_id: UUID
    filter: SubscriberFilter = SubscriberFilter.ALL
    events: bool = True
    limit: int = Field(default=100, ge=1, le=1000)
    cursor: str | None = None


class StatusText(Frozen):
    """Part of a run's subscribers as the status document has them, written already.

    `data` is `count` JSON objects of `SubscriberStatus` with commas between them, compressed (Zstandard,
    RFC 8878): to a third of what zlib's fastest makes of them, in a quarter of its time.
    """

    data: Base64UrlBytes
    count: int
    next_cursor: str | None = None

    @classmethod
    def of(cls, text: bytes, *, count: int, next_cursor: str | None = None) -> "StatusText":
        """Compress what is written."""
        # Not validated: that would take the bytes for Base64.
        return cls.model_construct(data=zstd.compress(text), count=count, next_cursor=next_cursor)

    def text(self) -> bytes:
        return zstd.decompress(self.data)


STATUS_TEXT_LIMIT = 2000
"""How many subscribers `GetStatusText` gives at most: the more, the less of it a query takes for itself."""


class GetStatusText(Query[StatusText]):
    """The same subscribers as `ListSubscriberStatuses` gives, for whoever only passes them on."""

    service: ClassVar[str] = SERVICE
    run_id: UUID
    filter: SubscriberFilter = SubscriberFilter.ALL
    events: bool = True
    limit: int = Field(default=100, ge=1, le=STATUS_TEXT_LIMIT)
    cursor: str | None = None
