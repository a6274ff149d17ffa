"""The rules of a notification in words, for the check before the start."""

from cato_client.models import NotificationSettings, TaskFields
from cato_console.language.languages import Language, mark, spoken_list
from cato_console.views.rules_form import CONDITIONS, WEEKDAYS, clock

_AGAIN = mark("the message again")
_NO_MORE = mark("to be called no more")


def rules_text(language: Language, rules: NotificationSettings) -> list[str]:
    """Return a line for each of the rules that say who counts as reached, and who is called when."""
    lines = [_reached(language, rules), _waves(language, rules)]
    if rules.excluded_dates or rules.holidays:
        lines.append(_days_off(language, rules))
    if rules.local_time:
        lines.append(language.gettext("The hours are those of each person's own time zone."))
    if rules.retry_rules:
        lines.append(
            language.gettext("Some calls are repeated in the same wave, such as those that were busy.")
        )
    if rules.skip_hopeless:
        lines.append(language.gettext("Numbers that do not exist or refuse are left out of later waves."))
    return [*lines, *_limits(language, rules), *_keys(language, rules)]


def details_text(language: Language, task: TaskFields) -> list[str]:
    """Return a line for all that is special about a notification."""
    lines = []
    if task.start_at:
        lines.append(language.gettext("No calls before %(at)s", at=language.moment(task.start_at)))
    if task.expires_at:
        lines.append(language.gettext("No calls after %(at)s", at=language.moment(task.expires_at)))
    if task.caller_id:
        lines.append(language.gettext("People see the number %(number)s.", number=task.caller_id))
    if task.purpose:
        lines.append(language.gettext("Purpose: %(text)s", text=task.purpose))
    if task.share_phone:
        lines.append(language.gettext("People with the same numbers share their calls."))
    return lines


def _reached(language: Language, rules: NotificationSettings) -> str:
    reached, condition = language.gettext("Reached:"), language.gettext(CONDITIONS[rules.success_condition])
    confirms = rules.success_condition == "PICKUP_AND_CONFIRM"
    return f"{reached} {condition} ({rules.confirm_code or '1'})" if confirms else f"{reached} {condition}"


def _waves(language: Language, rules: NotificationSettings) -> str:
    parts = [language.ngettext("%(num)s wave", "%(num)s waves", rules.attempt_count)]
    hours = rules.time_restrictions
    span = (
        f"{clock(hours.from_hour, hours.from_min)}–{clock(hours.till_hour, hours.till_min)}" if hours else ""
    )
    parts.append(span if span not in {"", "00:00–00:00"} else language.gettext("at any time of day"))
    if rules.time_zone:
        parts.append(rules.time_zone)
    if rules.weekdays:
        parts.append(", ".join(language.weekday(WEEKDAYS.index(day)) for day in rules.weekdays))
    return " · ".join(parts)


def _days_off(language: Language, rules: NotificationSettings) -> str:
    days = []
    if rules.excluded_dates:
        days.append(language.ngettext("%(num)s date", "%(num)s dates", len(rules.excluded_dates)))
    if rules.holidays:
        days.append(language.gettext("the public holidays of %(country)s", country=rules.holidays))
    return language.gettext("No calls on %(days)s.", days=spoken_list(language, days))


def _limits(language: Language, rules: NotificationSettings) -> list[str]:
    limits = rules.contact_limits
    if limits is None:
        return []
    lines = [
        language.ngettext(
            "%(num)s call to a number in %(time)s at most.",
            "%(num)s calls to a number in %(time)s at most.",
            each.max_calls,
            time=language.duration(each.per_s),
        )
        for each in limits.limits
    ]
    if limits.min_gap_s:
        time = language.duration(limits.min_gap_s)
        lines.append(language.gettext("%(time)s at least between calls to a number.", time=time))
    return lines


def _keys(language: Language, rules: NotificationSettings) -> list[str]:
    keys = ((rules.repeat_key, _AGAIN), (rules.opt_out_key, _NO_MORE))
    return [
        language.gettext("Key %(key)s: %(what)s.", key=key, what=language.gettext(what))
        for key, what in keys
        if key
    ]
