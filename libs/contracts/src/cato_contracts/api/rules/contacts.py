"""Limits of contacts: how often, and how soon again, a number may be called, over all runs."""

from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, model_validator

from cato_contracts.model import Resource

MAX_LIMITS = 10
MAX_CALLS = 100
MAX_PERIOD_S = 2_592_000


class ContactScope(StrEnum):
    """Which calls to a number count."""

    ALL_TASKS = "ALL_TASKS"
    """Those of all tasks."""
    TASK = "TASK"
    """Those of the same task."""


class CallLimit(Resource):
    """At most so many calls to a number begin within a period, wherever it starts."""

    max_calls: int = Field(ge=1, le=MAX_CALLS, examples=[3])
    """The most calls to a number within the period."""

    per_s: int = Field(ge=1, le=MAX_PERIOD_S, examples=[86_400])
    """The period in seconds; 86400 is a day."""


def _one_bound_at_least(schema: dict[str, Any]) -> None:
    limits, gap = (next(name for name in schema["properties"] if name in names) for names in _BOUNDS)
    schema["anyOf"] = [
        {"required": [limits], "properties": {limits: {"minItems": 1}}},
        {"required": [gap], "properties": {gap: {"minimum": 1}}},
    ]


_BOUNDS = (frozenset({"limits"}), frozenset({"minGapS", "min_gap_s"}))


class ContactLimits(Resource):
    """How often a number may be called. At least one limit, or a gap, is given."""

    model_config = ConfigDict(json_schema_extra=_one_bound_at_least)

    limits: Annotated[list[CallLimit], Field(max_length=MAX_LIMITS)] = Field(default_factory=list)
    """The most calls within periods; all of them hold. A number that has had so many calls is not called in
    the wave, and the next number of the subscriber follows."""

    min_gap_s: int = Field(default=0, ge=0, le=MAX_PERIOD_S, examples=[3_600])
    """The least time between the end of a call to a number and the next call, in seconds: the call waits."""

    over: ContactScope = Field(default=ContactScope.ALL_TASKS, examples=["ALL_TASKS"])
    """Which calls count: `ALL_TASKS`, or those of the same `TASK`."""

    @property
    def longest_s(self) -> int:
        """For how long a call counts."""
        return max((self.min_gap_s, *(limit.per_s for limit in self.limits)))

    @model_validator(mode="after")
    def _bounds_something(self) -> Self:
        if not self.limits and not self.min_gap_s:
            msg = "should have limits, minGapS or both"
            raise ValueError(msg)
        return self


class ContactLimitsOwner(StrEnum):
    """Whose calls are limited."""

    USER = "USER"
    """Those of the user."""
    SYSTEM = "SYSTEM"
    """Those of all users."""


class StoredContactLimits(ContactLimits):
    """The limits of a user, or of the system."""

    scope: ContactLimitsOwner = Field(examples=["USER"])
    """Whose calls are limited, and count: `USER`, those of one user; `SYSTEM`, those of all."""

    user_id: str | None = Field(default=None, exclude_if=lambda user: user is None)
    """The user with `USER`."""
