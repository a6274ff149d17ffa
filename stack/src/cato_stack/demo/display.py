"""The output of the demonstration: live progress, then the report as a table."""

from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.live import Live
from rich.table import Table

from cato_stack.demo.scenario import Person

_LIVE_FIELDS = {
    "state": "state",
    "waveCurrent": "wave",
    "subscriberNotified": "notified",
    "subscriberFailed": "failed",
    "subscriberNotYetNotified": "open",
    "callsRinging": "ringing",
    "callsTalking": "talking",
    "callsSucceeded": "calls ok",
    "callsFailed": "calls failed",
}


class Progress:
    """The report during the run: one line that is updated, or one line per change without a terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, auto_refresh=False) if console.is_terminal else None
        self._last = ""

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, report: dict[str, Any]) -> None:
        line = "  ".join(f"{title} {report.get(field)}" for field, title in _LIVE_FIELDS.items())
        if line == self._last:
            return
        self._last = line
        if self._live is not None:
            self._live.update(line, refresh=True)
        else:
            self._console.print(line, highlight=False)


def final_table(document: dict[str, Any], everyone: list[Person]) -> Table:
    """Return the report as a table with one row per subscriber and the calls to each number."""
    report = document["report"]
    table = Table(
        title=f"{report['name']}: {report['subscriberNotified']} of {report['subscriberCount']} notified, "
        f"{report['callsTotal']} calls, {report['waveCurrent']} waves",
    )
    for column in ("subscriber", "behaviour", "notified", "calls"):
        table.add_column(column)
    for person, status in zip(everyone, document["subscribers"], strict=True):
        calls = [
            f"{phone['number']}: {', '.join(_outcome(call) for call in phone['calls']) or 'not called'}"
            for phone in status["phones"]
        ]
        table.add_row(person.name, person.story, "yes" if status["notified"] else "no", "\n".join(calls))
    return table


def _outcome(call: dict[str, Any]) -> str:
    if call["success"]:
        return "reached"
    # The last event is CallEnded; the event before it has the reason.
    reasons = [event for event in call["events"] if event["name"] != "CallEnded"]
    return str(reasons[-1]["name"]) if reasons else "no events"
