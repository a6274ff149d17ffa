"""`cato runs`, `watch`, `report`, `pause`, `resume`, `stop`: executions."""

from collections.abc import Sequence
from enum import StrEnum
from itertools import islice
from typing import Annotated

import typer

from cato_cli.options import AsJson, Hangup, Run, command, session
from cato_cli.output import print_done, print_json, print_table
from cato_cli.references import find_run
from cato_cli.watching import print_report
from cato_cli.watching import watch as watch_run
from cato_client import operations
from cato_client.models import RunSubscriber, SubscriberFilter, TaskExec

app = typer.Typer()


class People(StrEnum):
    """Which people are listed."""

    NONE = "none"
    ALL = "all"
    UNREACHED = "unreached"
    FAILED = "failed"


_WHICH: dict[People, SubscriberFilter] = {
    People.ALL: "all",
    People.UNREACHED: "unreached",
    People.FAILED: "failed",
}


@command(app, "runs", "cato runs", "cato runs --all --limit 20 --json")
def runs(
    everything: Annotated[bool, typer.Option("--all", help="Those that are over, too.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the latest first.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List the executions that are in progress."""
    here = session()
    active = None if everything else True
    with here.client() as client:
        pages = client.each(lambda cursor: operations.list_task_execs(active=active, cursor=cursor))
        found: list[TaskExec] = list(islice(pages, limit))
    if as_json:
        print_json(found)
        return
    rows = [
        (
            run.report.name,
            run.report.state.lower().replace("_", " "),
            f"{run.report.subscriber_notified}/{run.report.subscriber_count}",
            run.started_at,
            run.id,
        )
        for run in found
    ]
    empty = "nothing has been started yet" if everything else "nothing is in progress (cato runs --all)"
    print_table(here, ("task", "state", "reached", "started", "id"), rows, empty)


@command(app, "watch", "cato watch", "cato watch 'Flood, March' --json")
def watch(run: Run = None, as_json: AsJson = False) -> None:
    """Show the progress of an execution until it ends; the exit code says whether everyone was reached."""
    here = session()
    with here.client() as client:
        watch_run(here, client, find_run(client, run).id, as_json=as_json)


@command(app, "report", "cato report", "cato report 'Flood, March' --people unreached")
def report(
    run: Run = None,
    people: Annotated[People, typer.Option(help="List these people, with the reasons.")] = People.NONE,
    as_json: AsJson = False,
) -> None:
    """Show the numbers of an execution, and who was not reached."""
    here = session()
    with here.client() as client:
        found = find_run(client, run)
        listed: list[RunSubscriber] = []
        if people is not People.NONE:
            which = _WHICH[people]
            listed = list(
                client.each(
                    lambda cursor: operations.list_run_subscribers(found.id, which=which, cursor=cursor)
                )
            )
    if as_json:
        fields = found.model_dump(mode="json", by_alias=True)
        if people is not People.NONE:
            fields["subscribers"] = [each.model_dump(mode="json", by_alias=True) for each in listed]
        print_json(fields)
        return
    print_report(here, found.report)
    if people is not People.NONE:
        rows: list[Sequence[object]] = [
            (each.full_name, each.phones, each.notified, each.reason, each.calls, each.last_call_at)
            for each in listed
        ]
        headers: tuple[str, ...] = ("name", "numbers", "reached", "reason", "calls", "last call")
        if any(each.shared_with for each in listed):
            rows = [(*row, each.shared_with) for row, each in zip(rows, listed, strict=True)]
            headers = (*headers, "shares calls with")
        print_table(here, headers, rows, "nobody")


@command(app, "pause", "cato pause", "cato pause 'Flood, March' --hangup")
def pause(run: Run = None, hangup: Hangup = False, as_json: AsJson = False) -> None:
    """Start no more calls until `cato resume`."""
    with session().client() as client:
        run_id = find_run(client, run).id
        client.do(operations.pause(run_id, hangup=hangup))
    print_done(run_id, as_json=as_json)


@command(app, "resume", "cato resume")
def resume(run: Run = None, as_json: AsJson = False) -> None:
    """Go on after a pause."""
    with session().client() as client:
        run_id = find_run(client, run).id
        client.do(operations.resume(run_id))
    print_done(run_id, as_json=as_json)


@command(app, "stop", "cato stop", "cato stop 'Flood, March' --hangup")
def stop(run: Run = None, hangup: Hangup = False, as_json: AsJson = False) -> None:
    """End an execution for good."""
    with session().client() as client:
        run_id = find_run(client, run).id
        client.do(operations.stop(run_id, hangup=hangup))
    print_done(run_id, as_json=as_json)
