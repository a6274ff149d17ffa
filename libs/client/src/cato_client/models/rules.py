"""The rules by which numbers may be called, and the audit log."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from cato_client.models.base import Model


class AuditRecord(Model):
    """A change that a user has made; `before` and `after` are the resource."""

    at: datetime
    user_id: str
    admin: bool
    request_id: str
    operation: str
    resource_id: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class Approval(Model):
    """The approval by a second user that an execution needs before its first call.

    `state`: WAITING, APPROVED, REJECTED, EXPIRED or WITHDRAWN. `by` is the user who has decided.
    """

    state: str
    requested_by: str
    until: datetime
    by: str | None = None
    at: datetime | None = None
    comment: str | None = None


class PacingBounds(Model):
    """What a rule allows for numbers with its prefixes, over all executions; at least one bound is given."""

    prefixes: list[str]
    max_calls: int | None = None
    max_calls_per_s: float | None = None
    station_id: UUID | None = None


class PacingRule(PacingBounds):
    """A pacing rule."""

    name: str


class CallLimit(Model):
    """The most calls to a number within a period of `per_s` seconds."""

    max_calls: int
    per_s: int


class ContactLimits(Model):
    """How often a number may be called, over all executions; a limit or a gap is given."""

    limits: list[CallLimit] = Field(default_factory=list)
    min_gap_s: int = 0
    over: Literal["ALL_TASKS", "TASK"] = "ALL_TASKS"


class StoredContactLimits(ContactLimits):
    """The limits of a user, or with SYSTEM those of all."""

    scope: Literal["USER", "SYSTEM"]
    user_id: str | None = None


class TraceOrder(Model):
    """What a SIP trace records, and for how long; a station or a number is given."""

    for_s: int
    station_id: UUID | None = None
    number: str | None = None
    format: Literal["TEXT", "PCAP"] = "TEXT"
    masked: bool = True


class SipTrace(TraceOrder):
    """A SIP trace, and what it has recorded so far."""

    id: UUID
    name: str
    began_at: datetime
    ends_at: datetime
    state: Literal["RUNNING", "ENDED"]
    messages: int
    cut: bool
