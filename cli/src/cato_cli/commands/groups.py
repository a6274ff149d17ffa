"""`cato group`: lists of people."""

from pathlib import Path
from typing import Annotated

import typer

from cato_cli import codes
from cato_cli.options import AsJson, Name, command, session
from cato_cli.output import print_done, print_json, print_table
from cato_cli.problems import UsageProblemError, fault_table
from cato_cli.references import find_group
from cato_cli.session import Session
from cato_client import Client, operations
from cato_client.list_models import ListCheck
from cato_client.models import SubscriberGroup
from cato_client.operation import CSV, JSON, XLSX

app = typer.Typer(name="group", help="Lists of people to call.", no_args_is_help=True)

_TYPES = {".csv": CSV, ".txt": CSV, ".tsv": "text/tab-separated-values", ".json": JSON, ".xlsx": XLSX}
_SHOWN = 5


@command(
    app,
    "add",
    "cato group add people.xlsx --name town",
    "cato group add people.csv --columns 'phones:Mobile,fullName:Name'",
    "cato group add people.xlsx --check",
)
def add(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="xlsx, csv, tsv or json.")],
    name: Annotated[str | None, typer.Option(help="Its name; by default that of the file.")] = None,
    columns: Annotated[
        str | None,
        typer.Option(help="Which headers have which fields: 'phones:Mobile,fullName:Name,timeZone:Zone'."),
    ] = None,
    charset: Annotated[
        str | None, typer.Option(help="The encoding of a text; by default it is recognised.")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace the people of the group.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Show what is in the file, with all faults; store nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Add a list of people: a sheet as people write it, with columns for the name and the numbers.

    All people are stored, or none if the file has a fault; the faults are shown with their lines.
    """
    here = session()
    content, media_type = file.read_bytes(), _media_type(file, charset)
    with here.client() as client:
        if check:
            found = client.do(operations.check_subscriber_list(content, media_type, columns=columns))
            print_json(found) if as_json else _print_check(here, found)
            if found.fault_count:
                raise typer.Exit(codes.REFUSED)
            return
        stored = _store(client, name or file.stem, content, media_type, columns, replace=replace)
    if as_json:
        print_json(stored)
        return
    _print(here, [stored])
    for warning in stored.warnings:
        here.errors.print(f"warning: {warning}", style="yellow", markup=False)


@command(app, "list", "cato group list", "cato group list --json")
def list_groups(name: Name = None, as_json: AsJson = False) -> None:
    """List the groups."""
    here = session()
    with here.client() as client:
        found = list(client.each(lambda cursor: operations.list_subscriber_groups(name=name, cursor=cursor)))
    print_json(found) if as_json else _print(here, found)


@command(app, "show", "cato group show town")
def show(
    group: Annotated[str, typer.Argument(help="Its name or id.")],
    as_json: AsJson = False,
) -> None:
    """List the people of a group."""
    here = session()
    with here.client() as client:
        group_id = find_group(client, group).id
        people = list(client.each(lambda cursor: operations.list_subscribers(group_id, cursor=cursor)))
    if as_json:
        print_json(people)
        return
    print_table(here, ("name", "numbers"), [(each.full_name, each.phones) for each in people], "nobody")


@command(app, "remove", "cato group remove town")
def remove(
    group: Annotated[str, typer.Argument(help="Its name or id.")],
    as_json: AsJson = False,
) -> None:
    """Remove a group that no task uses."""
    with session().client() as client:
        found = find_group(client, group).id
        client.do(operations.remove_subscriber_group(found))
    print_done(found, as_json=as_json)


def _store(
    client: Client, name: str, content: bytes, media_type: str, columns: str | None, *, replace: bool
) -> SubscriberGroup:
    if replace:
        group_id = find_group(client, name).id
        return client.do(operations.replace_subscriber_list(group_id, content, media_type, columns=columns))
    return client.do(operations.add_subscriber_list(name, content, media_type, columns=columns))


def _media_type(file: Path, charset: str | None) -> str:
    kind = _TYPES.get(file.suffix.lower())
    if kind is None:
        known = ", ".join(_TYPES)
        raise UsageProblemError(f"{file.name} is not a list that can be read: the name should end in {known}")
    return kind if charset is None else f"{kind}; charset={charset}"


def _print(here: Session, groups: list[SubscriberGroup]) -> None:
    rows = [(group.name, group.subscriber_count, group.created_at, group.id) for group in groups]
    print_table(here, ("name", "people", "added", "id"), rows, "there are no groups (cato group add FILE)")


def _print_check(here: Session, found: ListCheck) -> None:
    here.console.print(f"{found.subscriber_count} people", markup=False)
    columns = [(column.header, column.meaning) for column in found.columns]
    if columns:
        print_table(here, ("column", "is taken for"), columns, "")
    people = [(each.full_name, each.phones) for each in found.subscribers[:_SHOWN]]
    print_table(here, ("name", "numbers"), people, "nobody")
    twice = found.duplicates
    if twice.persons or twice.numbers:
        here.console.print(f"twice: {twice.persons} people, {twice.numbers} numbers of several people")
    if found.fault_count:
        here.console.print(fault_table(found.faults, found.fault_count))
    else:
        here.console.print("no faults", style="green")
