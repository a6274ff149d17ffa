"""`cato settings`: how people are called, and what counts as reached."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from cato_cli.options import AsJson, Name, command, session
from cato_cli.output import print_done, print_json, print_table
from cato_cli.references import find_audio, find_settings
from cato_cli.session import Session
from cato_client import operations
from cato_client.models import (
    LocalTime,
    NotificationSettings,
    RetryRule,
    Settings,
    SuccessCondition,
    TimeRestrictions,
)
from cato_client.models.presets import PRESETS
from cato_client.models.rules import CallLimit, ContactLimits

app = typer.Typer(name="settings", help="How people are called.", no_args_is_help=True)


class Preset(StrEnum):
    """Settings for a purpose."""

    WARNING = "warning"
    REMINDER = "reminder"
    ANNOUNCEMENT = "announcement"


class Reached(StrEnum):
    """What counts as reached."""

    ANSWERED = "answered"
    HEARD_SOME = "heard-some"
    HEARD_ALL = "heard-all"
    CONFIRMED = "confirmed"


_PLAIN: dict[str, Any] = {"attempt_count": 1, "success_condition": "PICKUP_PHONE"}
_CONDITIONS: dict[Reached, SuccessCondition] = {
    Reached.ANSWERED: "PICKUP_PHONE",
    Reached.HEARD_SOME: "PICKUP_AND_LISTEN_SOME",
    Reached.HEARD_ALL: "PICKUP_AND_LISTEN_FULL",
    Reached.CONFIRMED: "PICKUP_AND_CONFIRM",
}


@command(
    app,
    "add",
    "cato settings add calm --attempts 2 --delay 60 --reached heard-all",
    "cato settings add flood --preset warning",
    "cato settings add visits --preset reminder --hours 10:00-19:30 --days MON,TUE,WED",
    "cato settings add visits --retry BUSY/300/3 --retry NO_ANSWER,UNREACHABLE/900/2",
    "cato settings add offers --limit 3/86400 --gap 3600 --opt-out-key 9 --repeat-key 0",
)
def add(
    name: Annotated[str, typer.Argument(help="A name for them.")],
    preset: Annotated[
        Preset | None,
        typer.Option(
            help="What the other options change: `warning` 5 attempts every 2 min, day and night, confirmed"
            " with key 1; `announcement` 3 by day, heard to the end; `reminder` 2 by day, heard for 5 s."
        ),
    ] = None,
    attempts: Annotated[int | None, typer.Option(help="The most attempts for each person.")] = None,
    delay: Annotated[int | None, typer.Option(help="Seconds between two attempts.")] = None,
    reached: Annotated[Reached | None, typer.Option(help="What counts as reached.")] = None,
    heard: Annotated[int | None, typer.Option(help="Of heard-some: this many seconds.")] = None,
    ring: Annotated[int | None, typer.Option(help="Seconds of ringing.")] = None,
    longest: Annotated[int | None, typer.Option(help="Seconds of a call at most.")] = None,
    hours: Annotated[str | None, typer.Option(help="When calls may start: 08:30-18:30.")] = None,
    zone: Annotated[str | None, typer.Option(help="The zone of the hours: Europe/Moscow.")] = None,
    days: Annotated[str | None, typer.Option(help="The days: MON,TUE,WED,THU,FRI.")] = None,
    code: Annotated[str | None, typer.Option(help="Of confirmed: the key or keys to press.")] = None,
    repeat: Annotated[int | None, typer.Option(help="How often the message is played in a call.")] = None,
    not_on: Annotated[
        list[datetime] | None, typer.Option(help="A date without calls.", formats=["%Y-%m-%d"])
    ] = None,
    holidays: Annotated[str | None, typer.Option(help="No calls on the holidays of: RU, DE-BY.")] = None,
    local_time: Annotated[
        bool, typer.Option("--local-time", help="The hours are those of each person's own zone.")
    ] = False,
    retry: Annotated[
        list[str] | None,
        typer.Option(help="Call again in the same wave: after what, in s, calls at most: BUSY/300/3."),
    ] = None,
    skip_hopeless: Annotated[
        bool, typer.Option("--skip-hopeless", help="Leave out numbers that do not exist or refuse.")
    ] = False,
    opt_out_key: Annotated[str | None, typer.Option(help="The key to be called no more.")] = None,
    opt_out_list: Annotated[str | None, typer.Option(help="The exclusion list of that key.")] = None,
    opt_out_audio: Annotated[str | None, typer.Option(help="What is played after it: name or id.")] = None,
    repeat_key: Annotated[str | None, typer.Option(help="The key to hear the message again.")] = None,
    limit: Annotated[
        list[str] | None, typer.Option(help="The most calls to a number within seconds: 3/86400.")
    ] = None,
    gap: Annotated[int | None, typer.Option(help="Seconds between two calls to a number.")] = None,
    as_json: AsJson = False,
) -> None:
    """Add settings: those of a preset, and what is given beside it. Absent: the defaults of the system."""
    given = {
        "attempt_count": attempts,
        "attempt_delay_s": delay,
        "success_condition": _CONDITIONS[reached] if reached is not None else None,
        "success_playback_duration_s": heard,
        "max_answer_delay_s": ring,
        "max_call_duration_s": longest,
        "time_restrictions": _hours(hours) if hours is not None else None,
        "time_zone": zone,
        "weekdays": [day.strip().upper() for day in days.split(",")] if days is not None else None,
        "confirm_code": code,
        "repeat_count": repeat,
        "excluded_dates": [each.date() for each in not_on] if not_on else None,
        "holidays": holidays,
        "local_time": LocalTime() if local_time else None,
        "retry_rules": [_retry_rule(each) for each in retry] if retry else None,
        "skip_hopeless": skip_hopeless or None,
        "opt_out_key": opt_out_key,
        "opt_out_list": opt_out_list,
        "repeat_key": repeat_key,
        "contact_limits": _contact_limits(limit or [], gap),
    }
    base = PRESETS[preset.value].model_dump(exclude_none=True) if preset is not None else _PLAIN
    fields = base | {field: value for field, value in given.items() if value is not None}
    here = session()
    with here.client() as client:
        if opt_out_audio is not None:
            fields["opt_out_file"] = find_audio(client, opt_out_audio).id
        added = client.do(operations.add_notification_settings(Settings(name=name, **fields)))
    print_json(added) if as_json else _print(here, [added])


@command(app, "list", "cato settings list")
def list_settings(name: Name = None, as_json: AsJson = False) -> None:
    """List the settings."""
    here = session()
    with here.client() as client:
        found = list(
            client.each(lambda cursor: operations.list_notification_settings(name=name, cursor=cursor))
        )
    print_json(found) if as_json else _print(here, found)


@command(app, "show", "cato settings show calm")
def show(
    settings: Annotated[str, typer.Argument(help="Their name or id.")],
    as_json: AsJson = False,
) -> None:
    """Show settings with every field."""
    here = session()
    with here.client() as client:
        found = find_settings(client, settings)
    if as_json:
        print_json(found)
        return
    fields = found.model_dump(mode="json", by_alias=True, exclude_none=True)
    print_table(here, ("field", "value"), list(fields.items()), "")


@command(app, "remove", "cato settings remove calm")
def remove(
    settings: Annotated[str, typer.Argument(help="Their name or id.")],
    as_json: AsJson = False,
) -> None:
    """Remove settings that no task uses."""
    with session().client() as client:
        found = find_settings(client, settings).id
        client.do(operations.remove_notification_settings(found))
    print_done(found, as_json=as_json)


def _hours(text: str) -> TimeRestrictions:
    try:
        (from_hour, from_min), (till_hour, till_min) = (
            (int(part) for part in half.split(":")) for half in text.split("-")
        )
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} should be like 08:30-18:30", param_hint="--hours") from error
    return TimeRestrictions(from_hour=from_hour, from_min=from_min, till_hour=till_hour, till_min=till_min)


def _retry_rule(text: str) -> RetryRule:
    try:
        outcomes, after_s, calls = text.split("/")
        return RetryRule.model_validate(
            {"outcomes": outcomes.upper().split(","), "after_s": int(after_s), "max_attempts": int(calls)}
        )
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} should be like BUSY/300/3", param_hint="--retry") from error


def _contact_limits(limits: list[str], gap: int | None) -> ContactLimits | None:
    if not limits and gap is None:
        return None
    found = []
    for text in limits:
        try:
            calls, seconds = (int(part) for part in text.split("/"))
        except ValueError as error:
            raise typer.BadParameter(f"{text!r} should be like 3/86400", param_hint="--limit") from error
        found.append(CallLimit(max_calls=calls, per_s=seconds))
    return ContactLimits(limits=found, min_gap_s=gap or 0)


def _print(here: Session, found: list[NotificationSettings]) -> None:
    words = {condition: word for word, condition in _CONDITIONS.items()}
    rows = [
        (each.name, each.attempt_count, each.attempt_delay_s, words[each.success_condition], each.id)
        for each in found
    ]
    headers = ("name", "attempts", "delay s", "reached", "id")
    print_table(here, headers, rows, "there are no settings (cato settings add NAME)")
