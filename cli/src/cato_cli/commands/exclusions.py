"""`cato exclusion`: numbers that are not called."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from cato_cli.options import AsJson, command, instant, session
from cato_cli.output import print_done, print_json, print_table
from cato_cli.references import find_exclusion_list
from cato_cli.session import Session
from cato_client import operations
from cato_client.models import ExcludedNumber, ExclusionList

app = typer.Typer(name="exclusion", help="Numbers that are not called.", no_args_is_help=True)

Which = Annotated[str, typer.Argument(metavar="LIST", help="The list: its name or id.")]
Number = Annotated[str, typer.Argument(help="The number, in any form.")]


@command(
    app,
    "add",
    "cato exclusion add moved numbers.csv",
    "cato exclusion add moved",
)
def add(
    name: Annotated[str, typer.Argument(help="A name for the list.")],
    file: Annotated[
        Path | None,
        typer.Argument(exists=True, dir_okay=False, help="CSV: number and, if wanted, reason, expiresAt."),
    ] = None,
    system: Annotated[
        bool, typer.Option("--system", help="For the tasks of all users; for administrators.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Add a list, with the numbers of a file or with none. No call to one of them begins any more."""
    scope: Literal["USER", "SYSTEM"] = "SYSTEM" if system else "USER"
    here = session()
    with here.client() as client:
        if file is None:
            added = client.do(operations.add_exclusion_list(name, [], scope=scope))
        else:
            added = client.do(operations.add_exclusion_list_csv(name, file.read_bytes(), scope=scope))
    print_json(added) if as_json else _print(here, [added])


@command(app, "list", "cato exclusion list")
def list_lists(as_json: AsJson = False) -> None:
    """Show the lists: your own, and those of the system."""
    here = session()
    with here.client() as client:
        found = list(client.each(lambda cursor: operations.list_exclusion_lists(cursor=cursor)))
    print_json(found) if as_json else _print(here, found)


@command(
    app,
    "show",
    "cato exclusion show do-not-call",
    "cato exclusion show do-not-call 776429",
)
def show(
    which: Which,
    number: Annotated[str | None, typer.Argument(help="This number only, in any form.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show the numbers of a list, or the entry of one of them."""
    here = session()
    with here.client() as client:
        list_id = find_exclusion_list(client, which).id
        if number is not None:
            found = [client.do(operations.get_excluded_number(list_id, number))]
        else:
            found = list(client.each(lambda cursor: operations.list_excluded_numbers(list_id, cursor=cursor)))
    print_json(found) if as_json else _print_numbers(here, found)


@command(
    app,
    "put",
    "cato exclusion put do-not-call 776450 --reason 'asked by telephone'",
    "cato exclusion put do-not-call 776450 --until 2030-05-09",
)
def put(
    which: Which,
    number: Number,
    reason: Annotated[str | None, typer.Option(help="Why.")] = None,
    until: Annotated[str | None, typer.Option(help="From this time on it may be called again.")] = None,
    as_json: AsJson = False,
) -> None:
    """Put a number on a list, or change its entry. No call to it begins any more."""
    here = session()
    expires_at = instant(until, "--until")
    with here.client() as client:
        list_id = find_exclusion_list(client, which).id
        entry = client.do(operations.exclude_number(list_id, number, reason=reason, expires_at=expires_at))
    print_json(entry) if as_json else _print_numbers(here, [entry])


@command(app, "drop", "cato exclusion drop do-not-call 776429")
def drop(which: Which, number: Number, as_json: AsJson = False) -> None:
    """Take a number off a list: it may be called again."""
    here = session()
    with here.client() as client:
        client.do(operations.readmit_number(find_exclusion_list(client, which).id, number))
    if as_json:
        print_json({"dropped": number})
    else:
        here.console.print(f"{number} may be called again", markup=False, highlight=False)


@command(app, "remove", "cato exclusion remove do-not-call")
def remove(which: Which, as_json: AsJson = False) -> None:
    """Remove a list that no task names: its numbers may be called again."""
    with session().client() as client:
        found = find_exclusion_list(client, which).id
        client.do(operations.remove_exclusion_list(found))
    print_done(found, as_json=as_json)


def _print(here: Session, found: list[ExclusionList]) -> None:
    rows = [(each.name, each.scope.lower(), each.number_count, each.created_at, each.id) for each in found]
    headers = ("name", "scope", "numbers", "added", "id")
    print_table(here, headers, rows, "there are no lists (cato exclusion add NAME)")


def _print_numbers(here: Session, found: list[ExcludedNumber]) -> None:
    rows = [(each.number, each.reason, each.expires_at) for each in found]
    print_table(here, ("number", "reason", "until"), rows, "there are no numbers")
