"""Rules for the usual kinds of notification, as a start."""

from collections.abc import Mapping
from dataclasses import dataclass

from cato_client.models import NotificationSettings, Settings, SettingsFields, TimeRestrictions
from cato_client.models.rules import CallLimit, ContactLimits
from cato_console.errors import RefusedError
from cato_console.language.languages import Language, mark

FIELDS = (
    "preset",
    "condition",
    "waves",
    "delay_min",
    "ring_s",
    "repeat",
    "code",
    "heard_s",
    "from",
    "till",
    "repeat_key",
    "opt_out_key",
    "calls_a_day",
    "gap_min",
)
CONDITIONS = {
    "PICKUP_AND_CONFIRM": mark("presses a key to confirm"),
    "PICKUP_AND_LISTEN_FULL": mark("hears the whole message"),
    "PICKUP_AND_LISTEN_SOME": mark("hears a part of the message"),
    "PICKUP_PHONE": mark("answers the call"),
}


@dataclass(frozen=True, slots=True)
class Preset:
    """A kind of notification; `values` are those of the form."""

    key: str
    name: str
    text: str
    values: Mapping[str, str]


PRESETS = (
    Preset(
        "warning",
        mark("Warning"),
        mark("Danger: everybody has to confirm, at any time of day, five waves close together."),
        {
            "condition": "PICKUP_AND_CONFIRM",
            "waves": "5",
            "delay_min": "2",
            "ring_s": "40",
            "repeat": "2",
            "code": "1",
            "heard_s": "10",
            "from": "",
            "till": "",
        },
    ),
    Preset(
        "announcement",
        mark("Announcement"),
        mark("An outage, a change: it is enough to hear the message, during the day, three waves."),
        {
            "condition": "PICKUP_AND_LISTEN_FULL",
            "waves": "3",
            "delay_min": "15",
            "ring_s": "30",
            "repeat": "1",
            "code": "1",
            "heard_s": "10",
            "from": "08:00",
            "till": "21:00",
        },
    ),
    Preset(
        "reminder",
        mark("Reminder"),
        mark("An appointment, a payment: a part of the message is enough, two waves, by day only."),
        {
            "condition": "PICKUP_AND_LISTEN_SOME",
            "waves": "2",
            "delay_min": "60",
            "ring_s": "25",
            "repeat": "1",
            "code": "1",
            "heard_s": "5",
            "from": "09:00",
            "till": "20:00",
        },
    ),
)

_MINUTE_S, _DAY_S = 60, 86_400
_EXACT = ("time_restrictions", "repeat_key", "opt_out_key", "contact_limits")
"""Rules that stored settings must have, or not have, as the form says."""


def settings_of(language: Language, form: Mapping[str, str]) -> Settings:
    """Return the settings of a form.

    Raises:
        RefusedError: for a field that is no number or no time of day; bounds are checked by the API.

    """
    preset = next((each for each in PRESETS if each.key == form["preset"]), PRESETS[0])
    condition = form["condition"] if form["condition"] in CONDITIONS else "PICKUP_AND_LISTEN_FULL"
    hours = None
    if form["from"] or form["till"]:
        begins, ends = _time(language, form["from"] or "00:00"), _time(language, form["till"] or "00:00")
        hours = TimeRestrictions(from_hour=begins[0], from_min=begins[1], till_hour=ends[0], till_min=ends[1])
    waves = _whole(language, language.gettext("Waves"), form["waves"])
    delay = _whole(language, language.gettext("Minutes between waves"), form["delay_min"])
    return Settings.model_validate(
        {
            "name": f"{language.gettext(preset.name)}, {waves} × {delay} min",
            "attempt_count": waves,
            "attempt_delay_s": delay * _MINUTE_S,
            "success_condition": condition,
            "max_answer_delay_s": _whole(language, language.gettext("Seconds of ringing"), form["ring_s"]),
            "repeat_count": _whole(language, language.gettext("Times played"), form["repeat"]),
            "confirm_code": form["code"] if condition == "PICKUP_AND_CONFIRM" else None,
            "success_playback_duration_s": _whole(
                language, language.gettext("Seconds heard"), form["heard_s"]
            )
            if condition == "PICKUP_AND_LISTEN_SOME"
            else None,
            "time_restrictions": hours,
            "repeat_key": form["repeat_key"] or None,
            "opt_out_key": form["opt_out_key"] or None,
            "contact_limits": _contact_limits(language, form["calls_a_day"], form["gap_min"]),
        }
    )


def equal(stored: NotificationSettings, wanted: Settings) -> bool:
    """Return whether stored settings have the same name and rules."""
    if stored.name != wanted.name:
        return False
    return all(
        value is None or getattr(stored, name) == value
        for name in SettingsFields.model_fields
        for value in (getattr(wanted, name),)
    ) and all(getattr(stored, name) == getattr(wanted, name) for name in _EXACT)


def _contact_limits(language: Language, calls_a_day: str, gap_min: str) -> ContactLimits | None:
    limits = []
    if calls_a_day:
        calls = _whole(language, language.gettext("Most calls to a number in 24 hours"), calls_a_day)
        limits.append(CallLimit(max_calls=calls, per_s=_DAY_S))
    gap = _whole(language, language.gettext("Minutes between calls to a number"), gap_min or "0")
    return ContactLimits(limits=limits, min_gap_s=gap * _MINUTE_S) if limits or gap else None


def _whole(language: Language, name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 7):  # noqa: PLR2004 - a week has 604,800 s
        raise RefusedError(language.gettext("%(field)s: a whole number is needed.", field=name))
    return int(text)


def _time(language: Language, text: str) -> tuple[int, int]:
    hour, colon, minute = text.partition(":")
    if not colon or not (hour.isdigit() and minute.isdigit()):
        raise RefusedError(language.gettext("A time of day is needed, such as 08:30."))
    return int(hour), int(minute)
