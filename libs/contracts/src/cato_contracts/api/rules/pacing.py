"""Pacing rules: how many calls to numbers with a prefix may be up and may start, over all runs."""

from typing import Annotated, Any, ClassVar, Self
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from cato_contracts.api.examples import STATION_ID
from cato_contracts.api.resources import Page
from cato_contracts.model import Name, Resource
from cato_contracts.requests import Command, Query

SERVICE = "dialer"
MAX_RULES = 100
MAX_PREFIXES = 100
MAX_CALLS = 10_000
MAX_CALLS_PER_S = 500.0
MIN_CALLS_PER_S = 0.01

Prefix = Annotated[str, Field(pattern=r"^(\+[0-9]{1,15}|[0-9*#]{1,32})$", examples=["+7495"])]
"""The first characters of a number, as lists have it: digits, perhaps after `+`, or a code."""


def _once_each(prefixes: list[str]) -> list[str]:
    return list(dict.fromkeys(prefixes))


def _one_bound_at_least(schema: dict[str, Any]) -> None:
    bounds = [name for name in schema["properties"] if name in _BOUNDS]
    schema["anyOf"] = [{"required": [name], "properties": {name: {"type": "number"}}} for name in bounds]


_BOUNDS = frozenset({"maxCalls", "maxCallsPerS", "max_calls", "max_calls_per_s"})


class PacingBounds(Resource):
    """What a rule allows for numbers with its prefixes. At least one bound is given."""

    model_config = ConfigDict(json_schema_extra=_one_bound_at_least)

    prefixes: Annotated[
        list[Prefix], Field(min_length=1, max_length=MAX_PREFIXES), AfterValidator(_once_each)
    ] = Field(examples=[["+7495", "8495"]])
    """The prefixes of numbers as lists have them. The rule with the longest one applies to a number."""

    max_calls: int | None = Field(default=None, ge=1, le=MAX_CALLS, examples=[20])
    """The most calls at once; null: no bound."""

    max_calls_per_s: float | None = Field(
        default=None, ge=MIN_CALLS_PER_S, le=MAX_CALLS_PER_S, allow_inf_nan=False, examples=[2.0]
    )
    """The most calls that start in a second; 0.1 is one call in ten seconds; null: no bound."""

    station_id: UUID | None = Field(default=None, examples=[STATION_ID])
    """The station whose calls the rule bounds; null: the calls of all stations together."""

    @model_validator(mode="after")
    def _bounds_something(self) -> Self:
        if self.max_calls is None and self.max_calls_per_s is None:
            msg = "should have maxCalls, maxCallsPerS or both"
            raise ValueError(msg)
        return self


class PacingRule(PacingBounds):
    """A pacing rule."""

    name: Name = Field(examples=["Moscow"])
    """The name that it is kept under."""


class PutPacingRule(Command[PacingRule]):
    """Store a rule, in place of the one with its name. For administrators only.

    Answered with ConflictError if another rule has one of the prefixes for the same station.
    """

    service: ClassVar[str] = SERVICE
    rule: PacingRule


class RemovePacingRule(Command[None]):
    """Remove a rule. For administrators only."""

    service: ClassVar[str] = SERVICE
    name: str


class GetPacingRule(Query[PacingRule]):
    """Return the rule with a name."""

    service: ClassVar[str] = SERVICE
    name: str


class ListPacingRules(Query[Page[PacingRule]]):
    """Return all rules, by name. There is one page."""

    service: ClassVar[str] = SERVICE
