"""`cato call` and `cato repeat`: start calling."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from cato_cli.options import AsJson, Run, Watch, Yes, command, instant, session
from cato_cli.output import print_json, print_table, seconds
from cato_cli.problems import UsageProblemError
from cato_cli.references import find_audio, find_exclusion_list, find_group, find_run, find_settings
from cato_cli.session import Session
from cato_cli.watching import watch as watch_run
from cato_client import ApiError, Client, operations
from cato_client.list_models import TaskCheck
from cato_client.models import NewTask, SubscriberGroup, TaskStart

app = typer.Typer()


@command(
    app,
    "call",
    "cato call --audio flood_warning --group town --settings calm --watch",
    "cato call --audio flood_warning --group town --settings calm --name 'Flood, March' --yes --json",
    "cato call --audio flood_warning --group town --settings calm --check",
    "cato call --audio flood_warning --group town --settings calm --test 776413",
)
def call(
    audio: Annotated[
        list[str], typer.Option(help="A message: its name, its id or a file. Several are played in order.")
    ],
    group: Annotated[
        list[str], typer.Option(help="A group: its name or id. A person in several is called once.")
    ],
    settings: Annotated[str, typer.Option(help="Settings: their name or id.")],
    name: Annotated[str | None, typer.Option(help="A name for the task; by default group and time.")] = None,
    start_at: Annotated[str | None, typer.Option(help="No call before this time: 2026-03-24T08:30.")] = None,
    expires_at: Annotated[str | None, typer.Option(help="No call from this time on.")] = None,
    priority: Annotated[int | None, typer.Option(help="-10 to 10: who gets channels first.")] = None,
    caller_id: Annotated[str | None, typer.Option(help="The number that people see.")] = None,
    purpose: Annotated[str | None, typer.Option(help="What the calls are for.")] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(help="An exclusion list that applies: its name or id. By default all of the user."),
    ] = None,
    ignore_exclusions: Annotated[
        bool, typer.Option("--ignore-exclusions", help="Call excluded numbers, too; needs `emergency`.")
    ] = False,
    ignore_contact_limits: Annotated[
        bool, typer.Option("--ignore-contact-limits", help="Apply no limits of contacts; needs `emergency`.")
    ] = False,
    share_phone: Annotated[
        bool, typer.Option("--share-phone", help="One call for the people who have the same numbers.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Show what would happen, with warnings; call nobody.")
    ] = False,
    test: Annotated[
        str | None, typer.Option("--test", help="Call this number only, once, at any hour.")
    ] = None,
    watch: Watch = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Call the people of a group and play a message to them.

    In a terminal it shows what would happen, and asks before it starts. With --watch it shows the progress,
    and the exit code says whether everyone was reached.
    """
    here = session()
    start, end = instant(start_at, "--start-at"), instant(expires_at, "--expires-at")
    with here.client() as client:
        groups = [find_group(client, each) for each in group]
        wanted = NewTask(
            name=name or _default_name(groups),
            settings=find_settings(client, settings).id,
            files=[_audio(client, each) for each in audio],
            groups=[each.id for each in groups],
            start_at=start,
            expires_at=end,
            priority=priority,
            caller_id=caller_id,
            purpose=purpose,
            exclusion_lists=[find_exclusion_list(client, each).id for each in exclude] if exclude else None,
            ignore_exclusions=ignore_exclusions or None,
            ignore_contact_limits=ignore_contact_limits or None,
            share_phone=share_phone or None,
        )
        task = client.do(operations.add_task(wanted))
        try:
            started = _begin(here, client, task.id, check=check, test=test, ask=not yes, as_json=as_json)
        except (UsageProblemError, ApiError, typer.Abort):
            client.do(operations.remove_task(task.id))
            raise
        if started is None:
            client.do(operations.remove_task(task.id))
        else:
            _started(here, client, started, watch=watch, as_json=as_json)


@command(app, "repeat", "cato repeat --yes", "cato repeat 'Flood, March' --watch")
def repeat(run: Run = None, watch: Watch = False, yes: Yes = False, as_json: AsJson = False) -> None:
    """Call those once more whom an execution that is over has not reached."""
    here = session()
    with here.client() as client:
        found = find_run(client, run)
        if not yes:
            _ask(here, found.report.subscriber_count - found.report.subscriber_notified)
        started = client.do(operations.repeat_unreached(found.task_id, found.id))
        _started(here, client, started, watch=watch, as_json=as_json)


def _begin(
    here: Session, client: Client, task_id: UUID, *, check: bool, test: str | None, ask: bool, as_json: bool
) -> TaskStart | None:
    """Start the task, after a look at what would happen where a person can be asked; None: only to check."""
    if test is not None:
        return client.do(operations.test_call(task_id, test))
    if check or (ask and here.interactive):
        found = client.do(operations.check_task(task_id))
        if check and as_json:
            print_json(found)
        else:
            _print_check(here, found)
        if check:
            return None
        _ask(here, found.subscribers)
    return client.do(operations.start_task(task_id))


def _print_check(here: Session, found: TaskCheck) -> None:
    """Print what a start would do."""
    rows: list[tuple[str, object]] = [
        ("people", found.subscribers),
        ("numbers", found.numbers),
        ("channels", found.channels),
        ("message", seconds(found.message_ms)),
    ]
    if found.shortest_s is not None and found.longest_s is not None:
        bounds = f"{timedelta(seconds=found.shortest_s)} to {timedelta(seconds=found.longest_s)}"
        rows.append(("takes", bounds))
    print_table(here, ("", ""), rows, "")
    for warning in found.warnings:
        here.errors.print(f"warning: {warning.message}", style="yellow", markup=False)


def _audio(client: Client, text: str) -> UUID:
    file = Path(text)
    if file.is_file():
        return client.do(operations.add_audio_file(file.stem, file.read_bytes())).id
    return find_audio(client, text).id


def _default_name(groups: list[SubscriberGroup]) -> str:
    return f"{groups[0].name} {datetime.now().astimezone():%Y-%m-%d %H:%M}"


def _ask(here: Session, people: int) -> None:
    """Let the person at the terminal type the number of people; a program is not asked.

    Raises:
        UsageProblemError: if it is another number.

    """
    if not here.interactive:
        return
    typed = typer.prompt(f"{people} people will be called. Type their number to start")
    if typed.strip() != str(people):
        raise UsageProblemError("nothing was started: that is not the number of people")


def _started(here: Session, client: Client, started: TaskStart, *, watch: bool, as_json: bool) -> None:
    if started.task_exec_id is None:
        raise UsageProblemError("nothing was started: no channels are configured or licensed (cato stations)")
    if watch:
        watch_run(here, client, started.task_exec_id, as_json=as_json)
    elif as_json:
        print_json(started)
    else:
        here.console.print(f"started: {started.task_exec_id}", markup=False, highlight=False)
        here.console.print("see the progress: cato watch; end it: cato stop", markup=False, highlight=False)
