"""Exclusion lists: numbers that are not called."""

from datetime import datetime
from uuid import UUID

from cato_client.models.base import Model, Resource


class ExclusionList(Resource):
    """A list of numbers that are not called; `scope` is USER or SYSTEM."""

    url: str
    scope: str
    number_count: int
    created_at: datetime


class ExcludedNumber(Model):
    """A number of a list; `expires_at` None: for ever. `call_id` is the call in which it was asked for."""

    number: str
    reason: str | None = None
    expires_at: datetime | None = None
    call_id: UUID | None = None
