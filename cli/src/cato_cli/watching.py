"""Following an execution: a live line for people, a JSON object per report for programs."""

from uuid import UUID

import typer
from rich.live import Live
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table

from cato_cli import codes
from cato_cli.output import cell, print_json, print_table
from cato_cli.session import Session
from cato_client import Client
from cato_client.models import Report

_BAR = 40


def watch(session: Session, client: Client, run_id: UUID, *, as_json: bool) -> None:
    """Show an execution until it ends, then exit with the code of its result.

    Ctrl-C ends the watching only: the execution goes on.

    Raises:
        Exit: with 0 if everyone was reached, 3 if not, 4 if it was ended early.

    """
    report: Report | None = None
    try:
        if as_json:
            for report in client.follow(run_id):
                print_json(report, line=True)
        elif session.console.is_terminal:
            with Live(console=session.console, auto_refresh=False) as live:
                for report in client.follow(run_id):
                    live.update(progress(report), refresh=True)
        else:
            shown = ""
            for report in client.follow(run_id):
                # Without a terminal a line for each step, not for each call.
                step = f"{report.state} {report.wave_current}"
                if step != shown:
                    session.console.print(one_line(report), highlight=False)
                shown = step
    except KeyboardInterrupt:
        session.errors.print(f"the execution goes on; see it again: cato watch {run_id}", highlight=False)
        raise typer.Exit(codes.INTERRUPTED) from None
    if report is None:
        return
    if not as_json:
        print_report(session, report)
    raise typer.Exit(code_of(report))


def code_of(report: Report) -> int:
    """Return the exit code of a report."""
    if report.active_phase:
        return codes.DONE
    if report.state != "FINISHED":
        return codes.ENDED_EARLY
    return codes.DONE if report.subscriber_notified == report.subscriber_count else codes.NOT_ALL_REACHED


def progress(report: Report) -> Table:
    """Return the progress as it is shown in a terminal."""
    grid = Table.grid(padding=(0, 1))
    done = report.subscriber_notified + report.subscriber_failed
    grid.add_row(
        escape(report.name),
        ProgressBar(total=max(1, report.subscriber_count), completed=done, width=_BAR),
        f"[green]{report.subscriber_notified}[/green] reached of {report.subscriber_count}",
    )
    eta = "" if report.eta is None else f", ready about {cell(report.eta)}"
    grid.add_row(
        report.state.lower().replace("_", " "),
        f"attempt {report.wave_current} of {report.wave_total}{eta}",
        f"{report.calls_ringing} ringing, {report.calls_talking} talking",
    )
    return grid


def one_line(report: Report) -> str:
    """Return the state in one line."""
    return (
        f"{report.state.lower().replace('_', ' ')}, attempt {report.wave_current} of {report.wave_total}:"
        f" {report.subscriber_notified} of {report.subscriber_count} reached,"
        f" {report.calls_ringing} ringing, {report.calls_talking} talking"
    )


def print_report(session: Session, report: Report) -> None:
    """Print the numbers of a report."""
    state = report.state.lower().replace("_", " ")
    why = f" ({report.end_reason.lower().replace('_', ' ')})" if report.end_reason else ""
    rows = [
        ("task", report.name),
        ("state", f"{state}{why}"),
        ("people", report.subscriber_count),
        ("reached", report.subscriber_notified),
        *([] if report.t50 is None else [("time to reach", f"half {report.t50} s, 90 % {report.t90} s")]),
        ("not reached", report.subscriber_failed),
        ("to be called", report.subscriber_not_yet_notified),
        ("attempt", f"{report.wave_current} of {report.wave_total}"),
        ("calls", f"{report.calls_total} ({report.calls_succeeded} reached, {report.calls_failed} failed)"),
    ]
    if report.active_phase:
        rows.append(("now", f"{report.calls_ringing} ringing, {report.calls_talking} talking"))
    if report.eta is not None:
        rows.append(("ready about", cell(report.eta)))
    print_table(session, ("", ""), rows, "")
