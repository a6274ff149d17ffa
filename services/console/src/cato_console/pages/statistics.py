"""Figures of calls: by hour, day, station and outcome; and the calls as a file."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from starlette.responses import Response

from cato_client import operations
from cato_client.models import CallFilter, Grouping
from cato_console.http.visits import Visit
from cato_console.pages.downloads import download, file_form
from cato_console.views.statistics import shown_groups

_GROUPINGS: tuple[Grouping, ...] = ("day", "hour", "station", "reason", "task", "sipCode")
_PERIODS = {"today": 1, "week": 7, "month": 31}
_DEFAULT_PERIOD = "week"


async def show(visit: Visit) -> Response:
    grouping = next((each for each in _GROUPINGS if each == visit.query("by")), _GROUPINGS[0])
    period = visit.query("period") if visit.query("period") in _PERIODS else _DEFAULT_PERIOD
    zone = visit.deps.settings.time_zone
    found = await visit.api.do(operations.get_statistics(grouping, _since(period, zone), time_zone=zone))
    stations = {}
    if grouping == "station":
        stations = {
            str(each.id): each.name for each in (await visit.api.do(operations.list_stations())).items
        }
    return visit.page(
        "statistics.html",
        grouping=grouping,
        groupings=_GROUPINGS,
        period=period,
        periods=tuple(_PERIODS),
        groups=shown_groups(visit.language, found, stations),
        total=found.total,
    )


async def export(visit: Visit) -> Response:
    """Download all calls of the period."""
    period = visit.query("period") if visit.query("period") in _PERIODS else _DEFAULT_PERIOD
    zone = visit.deps.settings.time_zone
    form, dialect = file_form(visit.query("format"))
    operation = operations.export_calls(_since(period, zone), form=form, dialect=dialect, time_zone=zone)
    return await download(visit, operation, f"calls-{period}.{form}")


def _since(period: str, zone: str) -> CallFilter:
    today = datetime.now(ZoneInfo(zone)).date()
    first = today - timedelta(days=_PERIODS[period] - 1)
    return CallFilter(since=datetime.combine(first, time(), ZoneInfo(zone)))
