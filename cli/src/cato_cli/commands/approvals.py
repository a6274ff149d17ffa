"""`cato approvals`, `approve`, `reject`: executions that other users have started, and that wait."""

from typing import Annotated
from uuid import UUID

import typer

from cato_cli.options import AsJson, command, session
from cato_cli.output import print_json, print_table
from cato_cli.problems import UsageProblemError
from cato_cli.session import Session
from cato_client import Client, operations
from cato_client.models import Approval, TaskExec

app = typer.Typer()

Waiting = Annotated[
    str | None,
    typer.Argument(
        help="The execution: its id, or the name of its task. By default the only one that waits."
    ),
]
Comment = Annotated[str | None, typer.Option(help="A comment that is kept with the execution.")]


@command(app, "approvals", "cato approvals", "cato approvals --json")
def approvals(as_json: AsJson = False) -> None:
    """List the executions of other users that wait for an approval."""
    here = session()
    with here.client() as client:
        found = _waiting(client)
    if as_json:
        print_json(found)
        return
    rows = [
        (
            each.report.name,
            each.report.subscriber_count,
            each.approval.requested_by if each.approval else each.user_id,
            each.started_at,
            each.approval.until if each.approval else None,
            each.id,
        )
        for each in found
    ]
    headers = ("task", "people", "started by", "started", "ends without a decision", "id")
    print_table(here, headers, rows, "nothing waits for an approval")


@command(app, "approve", "cato approve", "cato approve 'Flood, March' --comment 'agreed with the city'")
def approve(run: Waiting = None, comment: Comment = None, as_json: AsJson = False) -> None:
    """Approve an execution: its calls begin."""
    here = session()
    with here.client() as client:
        done = client.do(operations.approve(_find(client, run), comment=comment))
    _print(here, done, as_json=as_json)


@command(app, "reject", "cato reject 'Flood, March' --comment 'the list is of last year'")
def reject(run: Waiting = None, comment: Comment = None, as_json: AsJson = False) -> None:
    """Reject an execution: it ends without a call."""
    here = session()
    with here.client() as client:
        done = client.do(operations.reject(_find(client, run), comment=comment))
    _print(here, done, as_json=as_json)


def _waiting(client: Client) -> list[TaskExec]:
    return list(client.each(lambda cursor: operations.list_approvals(cursor=cursor)))


def _find(client: Client, text: str | None) -> UUID:
    """Return the execution that is meant.

    Raises:
        UsageProblemError: if there is none, or more than one.

    """
    try:
        return UUID(text or "")
    except ValueError:
        found = [each.id for each in _waiting(client) if text is None or each.report.name == text]
    if len(found) == 1:
        return found[0]
    which = "" if text is None else f" of {text!r}"
    if not found:
        raise UsageProblemError(f"no execution{which} waits for an approval (cato approvals)")
    raise UsageProblemError(f"{len(found)} executions{which} wait for an approval: give the id of one")


def _print(here: Session, done: Approval, *, as_json: bool) -> None:
    if as_json:
        print_json(done)
    else:
        here.console.print(done.state.lower(), markup=False, highlight=False)
