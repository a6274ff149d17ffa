"""The form of what is special about a notification: its time, the number that people see, its purpose."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from cato_client.models import Station, TaskFields
from cato_console.errors import RefusedError
from cato_console.language.languages import Language, mark

FIELDS = ("start_at", "expires_at", "caller_id", "purpose", "share_phone")

_TIME_NEEDED = mark("A day and a time are needed, such as 2026-11-27 08:30.")


def values_of(language: Language, task: TaskFields | None) -> dict[str, str]:
    """Return the fields of the form for a task, or empty ones; times in the zone of the pages."""
    if task is None:
        return dict.fromkeys(FIELDS, "")
    return {
        "start_at": _local(language, task.start_at),
        "expires_at": _local(language, task.expires_at),
        "caller_id": task.caller_id or "",
        "purpose": task.purpose or "",
        "share_phone": "on" if task.share_phone else "",
    }


def fields_of(language: Language, form: Mapping[str, str]) -> dict[str, object]:
    """Return the fields of a task that a form gives.

    Raises:
        RefusedError: for what is no time; all else is checked by the API.

    """
    return {
        "start_at": instant_of(language, form["start_at"], _TIME_NEEDED),
        "expires_at": instant_of(language, form["expires_at"], _TIME_NEEDED),
        "caller_id": form["caller_id"] or None,
        "purpose": form["purpose"] or None,
        "share_phone": bool(form["share_phone"]) or None,
    }


def caller_ids(stations: Iterable[Station], chosen: str) -> list[str]:
    """Return the numbers that people may see, beside those of the stations themselves."""
    allowed = {number for station in stations for number in station.caller_ids}
    return sorted(allowed | {chosen} - {""})


def instant_of(language: Language, text: str, needed: str) -> datetime | None:
    """Return a time or the beginning of a day in the zone of the pages; None: it is empty.

    Raises:
        RefusedError: with `needed`, for what is neither.

    """
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise RefusedError(language.gettext(needed)) from error
    return at if at.tzinfo else at.replace(tzinfo=language.zone)


def _local(language: Language, at: datetime | None) -> str:
    return at.astimezone(language.zone).strftime("%Y-%m-%dT%H:%M") if at else ""
