"""`cato history`: was this number called, when, and what happened?"""

from itertools import islice
from typing import Annotated

import typer

from cato_cli.options import AsJson, command, instant, session
from cato_cli.output import print_json, print_table, seconds
from cato_cli.problems import UsageProblemError
from cato_cli.session import Session
from cato_client import operations
from cato_client.models import CallDetail, CallFilter, CallRecord, FoundSubscriber

app = typer.Typer()


@command(
    app,
    "history",
    "cato history 776413",
    "cato history +73432110695 --from 2026-03-01 --events",
    "cato history --person potapov --json",
)
def history(
    number: Annotated[str | None, typer.Argument(help="The number, however it is written.")] = None,
    person: Annotated[str | None, typer.Option(help="Instead: words of the person's name.")] = None,
    since: Annotated[str | None, typer.Option("--from", help="Calls from this time on.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="Calls before this time.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many calls, the latest first.")] = 100,
    events: Annotated[bool, typer.Option(help="With every event of each call.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show the calls to a number or a person over all executions, and who was never called."""
    if number is None and person is None:
        raise UsageProblemError("give a number, or a name with --person")
    here = session()
    where = CallFilter(
        number=number, name=person, since=instant(since, "--from"), until=instant(until, "--to")
    )
    with here.client() as client:
        people = client.do(operations.list_calls(where, limit=1)).subscribers or []
        calls = list(islice(client.each(lambda cursor: operations.list_calls(where, cursor=cursor)), limit))
        details = [client.do(operations.get_call(each.id)) for each in calls] if events else []
    if as_json:
        print_json(
            {
                "subscribers": [each.model_dump(mode="json", by_alias=True) for each in people],
                "calls": [each.model_dump(mode="json", by_alias=True) for each in details or calls],
            }
        )
        return
    _print(here, people, calls)
    for each in details:
        _print_events(here, each)


def _print(here: Session, people: list[FoundSubscriber], calls: list[CallRecord]) -> None:
    rows = [
        (each.subscriber_name, each.phones, each.task_name, each.notified, each.reason, each.calls)
        for each in people
    ]
    headers = ("person", "numbers", "task", "reached", "reason", "calls")
    print_table(here, headers, rows, "the number is in no list")
    here.console.print()
    print_table(
        here,
        ("started", "number", "person", "task", "attempt", "outcome", "reason", "talked"),
        [
            (
                call.started_at,
                call.number,
                call.subscriber_name,
                call.task_name,
                call.wave,
                call.outcome,
                call.reason,
                seconds(call.talk_ms),
            )
            for call in calls
        ],
        "it was never called",
    )


def _print_events(here: Session, call: CallDetail) -> None:
    here.console.print()
    begin = call.events[0].time if call.events else 0
    rows = [
        (f"+{(event.time - begin) / 1000:.3f} s", event.name, event.status, event.data)
        for event in call.events
    ]
    here.console.print(f"call {call.id} to {call.number}", markup=False, highlight=False)
    print_table(here, ("time", "event", "state", "data"), rows, "no events")
