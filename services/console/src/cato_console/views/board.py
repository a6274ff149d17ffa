"""What the board says above everything else: what is wrong, and what to do."""

from collections.abc import Sequence
from dataclasses import dataclass

from cato_client.models import Station, TaskExec
from cato_console.language.languages import Language
from cato_console.views import states


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that needs a person; `tone` as in `states`."""

    text: str
    advice: str
    tone: str = "bad"
    link: str | None = None


def alarms(language: Language, runs: Sequence[TaskExec], stations: Sequence[Station]) -> list[Alarm]:
    """Return the alarms, the worst first."""
    found = [
        Alarm(
            language.gettext("%(name)s: no station responds", name=run.report.name),
            language.gettext(states.of_run(run.report).advice),
            link=f"/runs/{run.id}",
        )
        for run in runs
        if run.report.state == "STATION_DOWN"
    ]
    found += [_station_alarm(language, station) for station in stations if station.state == "DOWN"]
    if not stations:
        found.append(
            Alarm(
                language.gettext("No station is configured"),
                language.gettext("Nobody can be called. The operator of the system has to add a station."),
            )
        )
    elif all(station.dialers == 0 for station in stations):
        found.append(
            Alarm(
                language.gettext("No dialer is running"),
                language.gettext("Nobody can be called. Tell the operator of the system."),
            )
        )
    return found


def _station_alarm(language: Language, station: Station) -> Alarm:
    advice = language.gettext(states.of_station("DOWN").advice)
    if station.since is not None:
        text = language.gettext(
            "Station %(name)s does not respond since %(since)s",
            name=station.name,
            since=language.moment(station.since),
        )
    else:
        text = language.gettext("Station %(name)s does not respond", name=station.name)
    return Alarm(text, advice)


@dataclass(frozen=True, slots=True)
class Figures:
    """The numbers of the whole system."""

    running: int
    ringing: int
    talking: int
    channels: int
    channels_in_use: int
    calls_per_s: float | None


def figures(runs: Sequence[TaskExec], stations: Sequence[Station], calls_per_s: float | None) -> Figures:
    return Figures(
        running=len(runs),
        ringing=sum(run.report.calls_ringing for run in runs),
        talking=sum(run.report.calls_talking for run in runs),
        channels=sum(station.channels for station in stations),
        channels_in_use=sum(station.channels_in_use for station in stations),
        calls_per_s=calls_per_s,
    )
