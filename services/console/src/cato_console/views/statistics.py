"""Groups of statistics with readable names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from cato_client.analysis_models import CallStatistics, Statistics
from cato_console.language.languages import Language
from cato_console.views.reasons import reason_text


@dataclass(frozen=True, slots=True)
class ShownGroup:
    """A line of the table, and a column of the chart."""

    name: str
    figures: CallStatistics

    @property
    def parts(self) -> Sequence[tuple[str, int]]:
        return (
            ("good", self.figures.succeeded),
            ("bad", self.figures.failed),
            ("busy", self.figures.in_progress),
        )


def shown_groups(language: Language, found: Statistics, stations: Mapping[str, str]) -> list[ShownGroup]:
    return [ShownGroup(_name(language, found.group_by, group, stations), group) for group in found.groups]


def _name(language: Language, group_by: str, group: CallStatistics, stations: Mapping[str, str]) -> str:
    key = group.key
    if key is None:
        return language.gettext("none")
    match group_by:
        case "day":
            return language.day(date.fromisoformat(key))
        case "hour":
            return language.moment(datetime.fromisoformat(key))
        case "station":
            return stations.get(key, key)
        case "reason":
            return reason_text(language, key)
        case _:
            return group.label or key
