"""One module for each group of commands."""

import typer

from cato_cli.commands import (
    approvals,
    audio,
    call,
    exclusions,
    export,
    groups,
    history,
    profile,
    runs,
    settings,
    sip_trace,
    stations,
)


def add_all(app: typer.Typer) -> None:
    """Add the commands of operators."""
    for module in (audio, groups, settings, exclusions, export, sip_trace, profile):
        app.add_typer(module.app)
    for module in (call, runs, approvals, history, stations):
        app.registered_commands += module.app.registered_commands
