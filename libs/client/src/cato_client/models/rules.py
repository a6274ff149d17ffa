"""The rules by which numbers may be called."""

from uuid import UUID

from cato_client.models.base import Model


class PacingBounds(Model):
    """What a rule allows for numbers with its prefixes, over all executions; at least one bound is given."""

    prefixes: list[str]
    max_calls: int | None = None
    max_calls_per_s: float | None = None
    station_id: UUID | None = None


class PacingRule(PacingBounds):
    """A pacing rule."""

    name: str
