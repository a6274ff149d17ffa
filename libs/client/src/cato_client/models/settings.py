"""Notification settings and the rules in them."""

from datetime import date
from typing import Literal
from uuid import UUID

from cato_client.models.base import Model, Resource, SuccessCondition
from cato_client.models.rules import ContactLimits

OutcomeGroup = Literal[
    "BUSY",
    "NO_ANSWER",
    "UNREACHABLE",
    "INVALID_NUMBER",
    "REFUSED",
    "NETWORK",
    "HUNG_UP_EARLY",
    "NOT_CONFIRMED",
]


class RetryRule(Model):
    """What follows an unsuccessful call with one of these outcomes."""

    outcomes: list[OutcomeGroup]
    after_s: int = 0
    max_attempts: int = 1
    drop_number: bool = False
    stop: bool = False


class TimeRestrictions(Model):
    """The part of the day in which calls may start: `from` inclusive, `till` exclusive."""

    from_hour: int = 0
    from_min: int = 0
    till_hour: int = 0
    till_min: int = 0


class LocalTime(Model):
    """The calling hours are those of each subscriber's own zone."""

    detect: list[Literal["SUBSCRIBER", "NUMBER"]] = ["SUBSCRIBER"]  # noqa: RUF012 - pydantic copies it
    when_unknown: Literal["DEFAULT", "ALL_ZONES", "SKIP"] = "DEFAULT"


class SettingsFields(Model):
    """The fields of notification settings; None means the default of the server."""

    attempt_count: int
    success_condition: SuccessCondition
    attempt_delay_s: int | None = None
    success_playback_duration_s: int | None = None
    max_call_duration_s: int | None = None
    max_answer_delay_s: int | None = None
    time_restrictions: TimeRestrictions | None = None
    time_zone: str | None = None
    weekdays: list[str] | None = None
    confirm_code: str | None = None
    repeat_count: int | None = None
    retry_rules: list[RetryRule] | None = None
    skip_hopeless: bool | None = None
    excluded_dates: list[date] | None = None
    holidays: str | None = None
    local_time: LocalTime | None = None
    opt_out_key: str | None = None
    opt_out_list: str | None = None
    opt_out_file: UUID | None = None
    repeat_key: str | None = None
    contact_limits: ContactLimits | None = None


class Settings(SettingsFields):
    """New notification settings."""

    name: str


class NotificationSettings(SettingsFields, Resource):
    """Stored notification settings."""
