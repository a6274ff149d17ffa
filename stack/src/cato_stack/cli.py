"""CATO: automatic telephone notification on one machine."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Annotated

import structlog
import typer

from cato_contracts.errors import ConfigurationError
from cato_runtime.configuration.settings import LogFormat, ServiceSettings
from cato_runtime.logs import configure_logging
from cato_stack import dead_letters
from cato_stack.demo.run import run_demo
from cato_stack.stack import RunningStack, StackOptions, running_stack

log = structlog.get_logger()

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)
app.add_typer(dead_letters.app, name="dead-letters")

_LOG_FORMAT = "CATO_LOG_FORMAT"
_EXIT_CONFIGURATION = 78  # EX_CONFIG of sysexits.h


@app.command()
def up(
    config: Annotated[
        Path | None, typer.Option(help="Configuration file (YAML); without one the defaults apply.")
    ] = None,
    data: Annotated[Path, typer.Option(help="Directory for all data.")] = Path("build/data"),
    port: Annotated[int, typer.Option(help="Port of the REST API.")] = 8080,
    host: Annotated[str, typer.Option(help="Address of the REST API.")] = "127.0.0.1",
) -> None:
    """Run the whole system on this machine until SIGTERM, and continue unfinished runs."""
    # For all processes: people read a terminal, programs read a file. The environment variable decides first.
    os.environ.setdefault(_LOG_FORMAT, LogFormat.CONSOLE if sys.stderr.isatty() else LogFormat.JSON)
    configure_logging("cato", ServiceSettings())
    options = StackOptions(data_dir=data.resolve(), host=host, port=port, config=config)
    try:
        asyncio.run(_up(options))
    except ConfigurationError as error:
        print(f"cato: {error}", file=sys.stderr)
        raise typer.Exit(_EXIT_CONFIGURATION) from error


async def _up(options: StackOptions) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    async with running_stack(options) as stack:
        print(f"ready {options.url}", flush=True)
        await stopping.wait()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, _hang_up, stack)
        log.info("stopping: calls in progress may end; a second Ctrl-C or SIGTERM hangs up")


def _hang_up(stack: RunningStack) -> None:
    log.info("stopping: calls in progress are hung up")
    stack.hurry()


@app.command()
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


@app.command()
def demo(
    prompt: Annotated[Path, typer.Option(help="Audio file to play.")] = Path("assets/flood_warning.mp3"),
    report: Annotated[Path, typer.Option(help="File for the status document.")] = Path("demo-report.json"),
) -> None:
    """Demonstrate a run with real calls to the simulated exchange, and verify it at both ends."""
    raise typer.Exit(run_demo(prompt, report))


def main() -> None:
    app()
