"""The form of the rules of a notification: settings as the texts of its fields, and these as settings."""

from collections.abc import Mapping

from cato_client.models import (
    LocalTime,
    NotificationSettings,
    RetryRule,
    Settings,
    SettingsFields,
    TimeRestrictions,
)
from cato_client.models.rules import CallLimit, ContactLimits
from cato_console.errors import RefusedError
from cato_console.language.languages import Language, mark
from cato_console.views.presets import preset_of

CONDITIONS = {
    "PICKUP_AND_CONFIRM": mark("presses a key to confirm"),
    "PICKUP_AND_LISTEN_FULL": mark("hears the whole message"),
    "PICKUP_AND_LISTEN_SOME": mark("hears a part of the message"),
    "PICKUP_PHONE": mark("answers the call"),
}
WEEKDAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
NUMBERS = {
    "waves": mark("Waves"),
    "delay_min": mark("Minutes between waves"),
    "ring_s": mark("Seconds of ringing"),
    "repeat": mark("Times played"),
    "longest_s": mark("Seconds of a call at most"),
    "heard_s": mark("Seconds heard"),
    "busy_calls": mark("Calls in a wave if busy"),
    "busy_min": mark("Minutes between calls if busy"),
    "calls_a_day": mark("Most calls to a number in 24 hours"),
    "gap_min": mark("Minutes between calls to a number"),
}
"""The fields that are whole numbers, by their names, with their labels."""

FIELDS = (
    "preset",
    "condition",
    *NUMBERS,
    "code",
    "from",
    "till",
    *WEEKDAYS,
    "holidays",
    "own_time",
    "skip_hopeless",
    "repeat_key",
    "opt_out_key",
)
ON = "on"
"""What a browser sends for a box that is checked."""

_MINUTE_S, _DAY_S = 60, 86_400
_RING_S, _CALL_S, _HEARD_S, _CODE = 30, 300, 10, "1"
_MOST_DIGITS = 6
_OF_CONDITION = {
    "success_playback_duration_s": "PICKUP_AND_LISTEN_SOME",
    "confirm_code": "PICKUP_AND_CONFIRM",
}
"""Rules that count with one condition only."""


def clock(hour: int, minute: int) -> str:
    return f"{hour:02}:{minute:02}"


def values_of(rules: SettingsFields) -> dict[str, str]:
    """Return the fields of a form for settings to begin with; rules that are not given are empty."""
    hours = rules.time_restrictions
    return dict.fromkeys(FIELDS, "") | {
        "condition": rules.success_condition,
        "waves": str(rules.attempt_count),
        "delay_min": str((rules.attempt_delay_s or 0) // _MINUTE_S),
        "ring_s": str(rules.max_answer_delay_s or _RING_S),
        "repeat": str(rules.repeat_count or 1),
        "longest_s": str(rules.max_call_duration_s or _CALL_S),
        "heard_s": str(rules.success_playback_duration_s or _HEARD_S),
        "code": rules.confirm_code or _CODE,
        "from": clock(hours.from_hour, hours.from_min) if hours else "",
        "till": clock(hours.till_hour, hours.till_min) if hours else "",
        **{day: ON for day in WEEKDAYS if rules.weekdays is None or day in rules.weekdays},
    }


def settings_of(language: Language, form: Mapping[str, str]) -> Settings:
    """Return the settings of a form.

    Raises:
        RefusedError: for a field that is no number or no time of day, and for a week without days; bounds are
            checked by the API.

    """
    condition = form["condition"] if form["condition"] in CONDITIONS else "PICKUP_AND_LISTEN_FULL"
    waves, delay = _whole(language, form, "waves"), _whole(language, form, "delay_min")
    return Settings.model_validate(
        {
            "name": f"{language.gettext(preset_of(form['preset']).name)}, {waves} × {delay} min",
            "attempt_count": waves,
            "attempt_delay_s": delay * _MINUTE_S,
            "success_condition": condition,
            "max_answer_delay_s": _whole(language, form, "ring_s"),
            "max_call_duration_s": _whole(language, form, "longest_s"),
            "repeat_count": _whole(language, form, "repeat"),
            "confirm_code": form["code"] if condition == "PICKUP_AND_CONFIRM" else None,
            "success_playback_duration_s": _whole(language, form, "heard_s")
            if condition == "PICKUP_AND_LISTEN_SOME"
            else None,
            "time_restrictions": _hours(language, form),
            "weekdays": _weekdays(language, form),
            "holidays": form["holidays"].upper() or None,
            "local_time": LocalTime(detect=["SUBSCRIBER", "NUMBER"]) if form["own_time"] else None,
            "retry_rules": _retry_rules(language, form),
            "skip_hopeless": True if form["skip_hopeless"] else None,
            "repeat_key": form["repeat_key"] or None,
            "opt_out_key": form["opt_out_key"] or None,
            "contact_limits": _contact_limits(language, form),
        }
    )


def equal(stored: NotificationSettings, wanted: Settings) -> bool:
    """Return whether stored settings have the same name and rules."""
    counting = (
        name
        for name in SettingsFields.model_fields
        if _OF_CONDITION.get(name, wanted.success_condition) == wanted.success_condition
    )
    return stored.name == wanted.name and all(
        getattr(stored, name) == getattr(wanted, name) for name in counting
    )


def _hours(language: Language, form: Mapping[str, str]) -> TimeRestrictions | None:
    if not form["from"] and not form["till"]:
        return None
    begins, ends = _time(language, form["from"] or "00:00"), _time(language, form["till"] or "00:00")
    return TimeRestrictions(from_hour=begins[0], from_min=begins[1], till_hour=ends[0], till_min=ends[1])


def _weekdays(language: Language, form: Mapping[str, str]) -> list[str] | None:
    chosen = [day for day in WEEKDAYS if form[day]]
    if not chosen:
        raise RefusedError(language.gettext("Choose one day of the week at least."))
    return chosen if len(chosen) < len(WEEKDAYS) else None


def _retry_rules(language: Language, form: Mapping[str, str]) -> list[RetryRule] | None:
    if not form["busy_calls"] and not form["busy_min"]:
        return None
    calls, minutes = _whole(language, form, "busy_calls"), _whole(language, form, "busy_min")
    return [RetryRule(outcomes=["BUSY"], after_s=minutes * _MINUTE_S, max_attempts=calls)]


def _contact_limits(language: Language, form: Mapping[str, str]) -> ContactLimits | None:
    limits = []
    if form["calls_a_day"]:
        limits.append(CallLimit(max_calls=_whole(language, form, "calls_a_day"), per_s=_DAY_S))
    gap = _whole(language, form, "gap_min") if form["gap_min"] else 0
    return ContactLimits(limits=limits, min_gap_s=gap * _MINUTE_S) if limits or gap else None


def _whole(language: Language, form: Mapping[str, str], name: str) -> int:
    text = form[name]
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        label = language.gettext(NUMBERS[name])
        raise RefusedError(language.gettext("%(field)s: a whole number is needed.", field=label))
    return int(text)


def _time(language: Language, text: str) -> tuple[int, int]:
    hour, colon, minute = text.partition(":")
    if not colon or not (hour.isdigit() and minute.isdigit()):
        raise RefusedError(language.gettext("A time of day is needed, such as 08:30."))
    return int(hour), int(minute)
