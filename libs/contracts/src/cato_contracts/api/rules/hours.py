"""The part of the day, the days and the zone in which calls may start."""

from contextlib import suppress
from datetime import date
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator

from cato_contracts.model import Resource

_DAY_DASHES = (4, 7)


def _as_date(value: object) -> object:
    """Read a date. A strict model takes one from JSON, but not after a validator of the whole object."""
    if isinstance(value, str) and len(value) == len("2024-05-09"):
        with suppress(ValueError):
            if all(value[place] == "-" for place in _DAY_DASHES):
                return date.fromisoformat(value)
    return value


Day = Annotated[date, BeforeValidator(_as_date)]
"""A day of the calendar."""


def _midnight_rule(schema: dict[str, Any]) -> None:
    """Add to a schema: `tillHour` 24 goes with `tillMin` 0 only."""
    hour, minute = (name for name in schema["properties"] if name in _TILL)
    schema["if"] = {"properties": {hour: {"const": 24}}, "required": [hour]}
    schema["then"] = {"properties": {minute: {"const": 0}}}


_TILL = frozenset({"tillHour", "tillMin", "till_hour", "till_min"})


class TimeRestrictions(Resource):
    """The part of the day in which calls may start: `from` inclusive, `till` exclusive.

    From later than till runs over midnight; both equal is the whole day.
    """

    model_config = ConfigDict(json_schema_extra=_midnight_rule)

    from_hour: int = Field(default=0, ge=0, le=23, examples=[8])
    """The hour from which calls may start."""

    from_min: int = Field(default=0, ge=0, le=59, examples=[30])
    """The minute of `fromHour`."""

    till_hour: int = Field(default=0, ge=0, le=23, examples=[18], json_schema_extra={"maximum": 24})
    """The hour from which no calls start; 24 with `tillMin` 0 is midnight."""

    till_min: int = Field(default=0, ge=0, le=59, examples=[30])
    """The minute of `tillHour`. Earlier than `from`: over midnight; equal: the whole day."""

    @model_validator(mode="before")
    @classmethod
    def _midnight_as_24(cls, data: object) -> object:
        if isinstance(data, dict) and 24 in (data.get("tillHour"), data.get("till_hour")):  # noqa: PLR2004
            if data.get("tillMin", data.get("till_min", 0)) != 0:
                msg = "tillMin should be 0 with tillHour 24"
                raise ValueError(msg)
            return {key: 0 if key in {"tillHour", "till_hour"} else value for key, value in data.items()}
        return data


Weekday = Literal["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"]


@cache
def _zones() -> set[str]:
    return available_timezones()  # it looks through the disk each time


def _known_zone(name: str) -> str:
    if name not in _zones():
        msg = f"should be an IANA time zone name, not {name!r}"
        raise ValueError(msg)
    return name


TimeZoneName = Annotated[
    str, Field(json_schema_extra={"format": "iana-time-zone"}), AfterValidator(_known_zone)
]


HolidayCalendar = Annotated[str, Field(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$", examples=["RU"])]
"""A country by ISO 3166-1, or a part of it by ISO 3166-2."""


class ZoneSource(StrEnum):
    """Where the zone of a subscriber is taken from."""

    SUBSCRIBER = "SUBSCRIBER"
    """The `timeZone` of the subscriber in the list."""
    NUMBER = "NUMBER"
    """The zones in which the international numbers (with `+`) are in use, up to 30 for each of them."""


class UnknownZone(StrEnum):
    """When a subscriber without a known zone is called."""

    DEFAULT = "DEFAULT"
    """In the hours of the settings' zone."""
    ALL_ZONES = "ALL_ZONES"
    """While it is in hours in every zone that occurs in the list."""
    SKIP = "SKIP"
    """Never."""


class LocalTime(Resource):
    """The calling hours are those of each subscriber's own zone."""

    detect: Annotated[list[ZoneSource], Field(min_length=1)] = Field(
        default_factory=lambda: [ZoneSource.SUBSCRIBER], examples=[["SUBSCRIBER"]]
    )
    """Where the zone of a subscriber is taken from, in this order. `SUBSCRIBER`: from the list. `NUMBER`:
    from international numbers; those of several zones are called while all of these are in hours."""

    when_unknown: UnknownZone = Field(default=UnknownZone.DEFAULT, examples=["DEFAULT"])
    """When subscribers without a zone are called: `DEFAULT`, in the hours of `timeZone`; `ALL_ZONES`, while
    it is in hours in every zone of the list; `SKIP`, never."""
