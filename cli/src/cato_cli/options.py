"""Options that several commands have, and how a command is declared."""

# ruff: noqa: PLC0414 - the session is part of what a command needs

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, TypeVar

import typer

from cato_cli.problems import ClientCommand
from cato_cli.session import session as session

F = TypeVar("F", bound=Callable[..., Any])

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Hangup = Annotated[bool, typer.Option("--hangup", help="End the calls that are up, too.")]
Run = Annotated[
    str | None,
    typer.Argument(help="The execution: its id, or the name of its task. By default the latest one."),
]
Watch = Annotated[bool, typer.Option("--watch", help="Show the progress until the execution ends.")]
Name = Annotated[str | None, typer.Option("--name", help="Only those with this in their name.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def command(app: typer.Typer, name: str, *examples: str, panel: str | None = None) -> Callable[[F], F]:
    """Declare a command, with examples at the end of its help."""
    lines = "\n\n".join(["Examples:" if len(examples) > 1 else "Example:", *examples])
    return app.command(name, cls=ClientCommand, epilog=lines, rich_help_panel=panel, no_args_is_help=False)


def instant(text: str | None, what: str) -> datetime | None:
    """Return a time of an option; without a zone it is that of this computer.

    Raises:
        BadParameter: if it is no time.

    """
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError as error:
        raise typer.BadParameter(
            f"{text!r} should be a time such as 2026-03-24T08:30 or 2026-03-24", param_hint=what
        ) from error
