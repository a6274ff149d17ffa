"""The rules by which numbers may be called, and the audit log."""

from datetime import datetime
from typing import Any
from uuid import UUID

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


class PacingBounds(Model):
    """What a rule allows for numbers with its prefixes, over all executions; at least one bound is given."""

    prefixes: list[str]
    max_calls: int | None = None
    max_calls_per_s: float | None = None
    station_id: UUID | None = None


class PacingRule(PacingBounds):
    """A pacing rule."""

    name: str
