"""The commands of the whole system on one machine, which the `cato` command of operators takes up."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cato_stack import dead_letters

_PANEL = "This machine"

app = typer.Typer()
app.add_typer(dead_letters.app, name="dead-letters", rich_help_panel=_PANEL)


class Shown(StrEnum):
    """How a result is shown."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


@app.command(rich_help_panel=_PANEL, epilog="Example:\n\ncato up --config cato.yaml --port 8080")
def up(  # noqa: PLR0917 - options
    config: Annotated[
        Path | None, typer.Option(help="Configuration file (YAML); without one the defaults apply.")
    ] = None,
    data: Annotated[Path, typer.Option(help="Directory for all data.")] = Path("build/data"),
    port: Annotated[int, typer.Option(help="Port of the REST API.")] = 8080,
    host: Annotated[str, typer.Option(help="Address of the REST API and the console.")] = "127.0.0.1",
    console_port: Annotated[int, typer.Option(help="Port of the console, the web pages.")] = 8090,
    console: Annotated[bool, typer.Option(help="Whether to run the console.")] = True,
) -> None:
    """Run the whole system on this machine until SIGTERM, and continue unfinished runs."""
    from cato_stack.forked_process import ForkServerProcess  # noqa: PLC0415

    # It imports what the services need while this process imports the rest.
    server = ForkServerProcess()
    from cato_stack.up import run_up  # noqa: PLC0415

    raise typer.Exit(
        run_up(
            server,
            config=config,
            data=data,
            port=port,
            host=host,
            console_port=console_port if console else None,
        )
    )


@app.command(rich_help_panel=_PANEL, epilog="Example:\n\ncato exchange --plan assets/exchange.yaml")
def exchange(
    plan: Annotated[Path, typer.Option(help="Number plan (YAML).")],
    port: Annotated[int, typer.Option(help="SIP port; 0 picks a free one.")] = 5070,
    record: Annotated[
        Path | None, typer.Option(help="Directory for call records and received audio.")
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
) -> None:
    """Run the simulated exchange alone."""
    from cato_exchange.cli import run  # noqa: PLC0415 - `cato up` does not need the exchange

    raise typer.Exit(run(port, plan, record, host))


@app.command(rich_help_panel=_PANEL, epilog="Example:\n\ncato demo --report demo-report.json")
def demo(
    prompt: Annotated[Path, typer.Option(help="Audio file to play.")] = Path("assets/flood_warning.mp3"),
    report: Annotated[Path, typer.Option(help="File for the status document.")] = Path("demo-report.json"),
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave the system and its console open until Ctrl-C.")
    ] = False,
) -> None:
    """Demonstrate a run with real calls to the simulated exchange, and verify it at both ends."""
    from cato_stack.demo.run import run_demo  # noqa: PLC0415 - only this command needs the client and the tables

    raise typer.Exit(run_demo(prompt, report, keep=keep))


@app.command(rich_help_panel=_PANEL, epilog="Example:\n\ncato sql 'SELECT count() FROM calls'")
def sql(
    statement: Annotated[str, typer.Argument(help="One SELECT over the views of docs/analytics.md.")],
    param: Annotated[
        list[str] | None, typer.Option(help="The value of a placeholder such as {run:UUID}: run=<value>.")
    ] = None,
    form: Annotated[Shown, typer.Option("--format", help="How the result is shown.")] = Shown.TABLE,
    data: dead_letters.Data = Path("build/data"),
    broker: dead_letters.Broker = None,
) -> None:
    """Execute one SELECT over the views for analysts, while the system runs: at most 30 s and 10,000 rows."""
    from cato_stack.sql_work import print_result  # noqa: PLC0415 - only this command needs the broker's client

    print_result(statement, param or (), form, data, broker)
