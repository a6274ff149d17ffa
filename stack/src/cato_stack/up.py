"""`cato up`: the whole system until a signal."""

import asyncio
import os
import sys
from functools import partial
from pathlib import Path

import structlog
import typer

from cato_contracts.errors import ConfigurationError
from cato_runtime.configuration.settings import LogFormat, ServiceSettings
from cato_runtime.logs import configure_logging
from cato_runtime.process.signals import on_stop_signal, stop_requested
from cato_stack.forked_process import ForkServerProcess
from cato_stack.stack import RunningStack, StackOptions, running_stack

log = structlog.get_logger()

_LOG_FORMAT = "CATO_LOG_FORMAT"
_EXIT_CONFIGURATION = 78  # EX_CONFIG of sysexits.h


def run_up(
    server: ForkServerProcess,
    *,
    config: Path | None,
    data: Path,
    port: int,
    host: str,
    console_port: int | None,
) -> int:
    """Run the system until SIGTERM or Ctrl-C; return an exit code."""
    # For all processes: people read a terminal, programs read a file. The environment variable decides first.
    os.environ.setdefault(_LOG_FORMAT, LogFormat.CONSOLE if sys.stderr.isatty() else LogFormat.JSON)
    configure_logging("cato", ServiceSettings())
    options = StackOptions(
        data_dir=data.resolve(), host=host, port=port, config=config, console_port=console_port
    )
    try:
        asyncio.run(_up(options, server))
    except ConfigurationError as error:
        typer.echo(f"cato: {error}", err=True)
        return _EXIT_CONFIGURATION
    return 0


async def _up(options: StackOptions, server: ForkServerProcess) -> None:
    stopping = stop_requested()
    async with running_stack(options, server) as stack:
        typer.echo(f"ready {options.url}")
        if options.console_url is not None:
            typer.echo(f"console {options.console_url}")
        await stopping.wait()
        on_stop_signal(partial(_hang_up, stack))
        log.info("stopping: calls in progress may end; a second Ctrl-C or SIGTERM hangs up")


def _hang_up(stack: RunningStack) -> None:
    log.info("stopping: calls in progress are hung up")
    stack.hurry()
