"""How the states of executions and stations are shown: a word, a tone of colour, an icon."""

from dataclasses import dataclass

from cato_client.models import Report
from cato_console.language.languages import mark
from cato_console.views.rules_form import CONDITIONS as CONDITIONS  # noqa: PLC0414 - for the templates

PAUSABLE = frozenset({"WAITING", "CALLING", "BETWEEN_WAVES", "OUT_OF_HOURS", "STATION_DOWN"})


@dataclass(frozen=True, slots=True)
class Shown:
    """`tone` is a class of the style sheet: good, busy, wait, bad, quiet."""

    word: str
    tone: str
    icon: str
    advice: str = ""


_RUNS = {
    "WAITING": Shown(mark("Starts later"), "wait", "wait"),
    "CALLING": Shown(mark("Calling"), "busy", "call"),
    "BETWEEN_WAVES": Shown(mark("Waiting for the next wave"), "wait", "wait"),
    "OUT_OF_HOURS": Shown(
        mark("Outside of calling hours"),
        "wait",
        "wait",
        mark("It goes on by itself when the calling hours begin."),
    ),
    "STATION_DOWN": Shown(
        mark("No station responds"),
        "bad",
        "alarm",
        mark(
            "Nobody can be called until a station responds; then it goes on by itself. Call whoever looks"
            " after the telephone exchange."
        ),
    ),
    "PAUSED": Shown(mark("Paused"), "wait", "pause"),
    "STOPPING": Shown(mark("Stopping"), "wait", "stop"),
    "FINISHED": Shown(mark("Finished"), "good", "done"),
    "STOPPED": Shown(mark("Stopped"), "quiet", "stop"),
}
_ENDS = {
    "STOPPED": Shown(mark("Stopped"), "quiet", "stop"),
    "EXPIRED": Shown(mark("Time is up"), "bad", "alarm", mark("Its time ended before all waves were done.")),
    "REJECTED": Shown(
        mark("Rejected"), "bad", "stop", mark("A second person has rejected it, and nobody was called.")
    ),
    "APPROVAL_EXPIRED": Shown(
        mark("Not approved in time"),
        "bad",
        "alarm",
        mark("No second person has approved it, and nobody was called. It can be started again."),
    ),
    "STATION_DOWN": Shown(
        mark("Given up: no station responded"),
        "bad",
        "alarm",
        mark("When the stations respond again, call those who were not reached."),
    ),
}
_STATIONS = {
    "UP": Shown(mark("Responds"), "good", "up"),
    "DOWN": Shown(
        mark("Does not respond"), "bad", "down", mark("Call whoever looks after the telephone exchange.")
    ),
    "RESTING": Shown(
        mark("Asked for a pause"), "wait", "pause", mark("It is called again by itself after the pause.")
    ),
    "UNKNOWN": Shown(mark("Not known yet"), "quiet", "info"),
}


def of_run(report: Report) -> Shown:
    if not report.active_phase and report.end_reason in _ENDS:
        return _ENDS[report.end_reason]
    return _RUNS.get(report.state, Shown(report.state, "quiet", "info"))


def of_station(state: str) -> Shown:
    return _STATIONS.get(state, Shown(state, "quiet", "info"))


def can_pause(report: Report) -> bool:
    return report.active_phase and report.state in PAUSABLE


def can_resume(report: Report) -> bool:
    return report.active_phase and report.state == "PAUSED"


def can_stop(report: Report) -> bool:
    return report.active_phase and report.state != "STOPPING"


def share(part: int, whole: int) -> float:
    """Return a part of 0 to 1; 0 of nothing."""
    return part / whole if whole else 0.0


LIST_RULES = {
    "not-a-number": mark("This is not a telephone number."),
    "number-with-extension": mark("A number with an extension cannot be dialled."),
    "several-numbers": mark("These could be two numbers: put ; between them."),
    "scientific-notation": mark(
        "Excel has rounded this number: format the column as text and type it again."
    ),
    "too-long": mark("The number is too long."),
}
"""What is wrong with a row of a list, by the rule that the API names."""
