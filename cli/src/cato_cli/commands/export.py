"""`cato export`: calls, people and groups as files."""

from pathlib import Path
from typing import Annotated

import typer

from cato_cli.options import AsJson, Run, command, instant, session
from cato_cli.output import print_json, save
from cato_cli.problems import UsageProblemError
from cato_cli.references import find_group, find_run
from cato_cli.session import Session
from cato_client import operations
from cato_client.models import CallFilter, ExportDialect, ExportFormat, SubscriberFilter

app = typer.Typer(name="export", help="Files: calls, people of an execution, groups.", no_args_is_help=True)

_FORMATS: dict[str, ExportFormat] = {".csv": "csv", ".xlsx": "xlsx", ".jsonl": "jsonl", ".parquet": "parquet"}
_WHICH: dict[str, SubscriberFilter] = {"all": "all", "failed": "failed", "unreached": "unreached"}

Output = Annotated[
    Path, typer.Option("--output", "-o", dir_okay=False, help="The file: .csv, .xlsx, .jsonl or .parquet.")
]
Excel = Annotated[bool, typer.Option("--excel", help="CSV as Excel opens it: with `;` and local times.")]


@command(
    app,
    "people",
    "cato export people --which unreached -o unreached.xlsx",
    "cato export people 'Flood, March' -o everyone.csv --excel",
)
def people(
    output: Output,
    run: Run = None,
    which: Annotated[str, typer.Option(help="all, unreached or failed.")] = "all",
    excel: Excel = False,
    as_json: AsJson = False,
) -> None:
    """Save the people of an execution: who was reached, who was not, and why."""
    if which not in _WHICH:
        raise UsageProblemError(f"--which should be {', '.join(_WHICH)}, not {which!r}")
    form, dialect = _form(output, excel=excel)
    here = session()
    with here.client() as client:
        wanted = operations.export_run_subscribers(
            find_run(client, run).id, subscribers=_WHICH[which], form=form, dialect=dialect
        )
        size = save(client.pieces(wanted), output)
    _saved(here, output, size, as_json=as_json)


@command(
    app,
    "calls",
    "cato export calls -o calls.parquet",
    "cato export calls --from 2026-03-01 --number 776413 -o calls.xlsx",
)
def calls(
    output: Output,
    run: Annotated[str | None, typer.Option(help="Of this execution: its id or its task's name.")] = None,
    number: Annotated[str | None, typer.Option(help="To this number.")] = None,
    since: Annotated[str | None, typer.Option("--from", help="From this time on.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="Before this time.")] = None,
    excel: Excel = False,
    as_json: AsJson = False,
) -> None:
    """Save calls, the earliest first."""
    form, dialect = _form(output, excel=excel)
    here = session()
    with here.client() as client:
        where = CallFilter(
            task_exec_id=find_run(client, run).id if run is not None else None,
            number=number,
            since=instant(since, "--from"),
            until=instant(until, "--to"),
        )
        size = save(client.pieces(operations.export_calls(where, form=form, dialect=dialect)), output)
    _saved(here, output, size, as_json=as_json)


@command(app, "group", "cato export group town -o town.xlsx")
def group(
    name: Annotated[str, typer.Argument(help="The group: its name or id.")],
    output: Output,
    excel: Excel = False,
    as_json: AsJson = False,
) -> None:
    """Save the people of a group, as they can be added again."""
    form, dialect = _form(output, excel=excel)
    if form not in {"csv", "xlsx"}:
        raise UsageProblemError("a group is saved as .csv or .xlsx")
    here = session()
    with here.client() as client:
        wanted = operations.export_subscribers(
            find_group(client, name).id, form="xlsx" if form == "xlsx" else "csv", dialect=dialect
        )
        size = save(client.pieces(wanted), output)
    _saved(here, output, size, as_json=as_json)


def _saved(here: Session, file: Path, size: int, *, as_json: bool) -> None:
    if as_json:
        print_json({"file": str(file), "bytes": size})
    else:
        here.console.print(f"{file}: {size} bytes", markup=False, highlight=False)


def _form(file: Path, *, excel: bool) -> tuple[ExportFormat, ExportDialect]:
    form = _FORMATS.get(file.suffix.lower())
    if form is None:
        raise UsageProblemError(
            f"the name of the file should end in {', '.join(_FORMATS)}, not {file.name!r}"
        )
    if excel and form != "csv":
        raise UsageProblemError("--excel is for .csv")
    return form, "excel" if excel else "standard"
