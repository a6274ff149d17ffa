"""The application: the commands of operators, and those that other packages add.

A package adds commands with an entry point of the group `cato.commands`, a Typer application: so `cato up`
comes with the package of the whole system, and an operator's computer needs the REST client alone.
"""

import sys
from collections.abc import Callable, Container, Sequence
from importlib.metadata import entry_points
from typing import Annotated

import typer

_GROUP = "cato.commands"
_HELP = """CATO: call a list of people, play a message, see who was reached.

The address of the system and the token are those of CATO_URL and CATO_TOKEN, or of a profile (`cato
profile`). Without either it is the system on this machine, as `cato up` starts it.
"""
_EPILOG = (
    "Exit codes: 0 done; 1 refused; 2 wrong usage; 3 not everyone was reached; 4 the execution was stopped or"
    " expired; 69 no answer; 77 the token is not known or lacks a permission."
)


def make_app(arguments: Sequence[str] = ()) -> typer.Typer:
    """Return the application for these arguments.

    The commands of operators are left out for a command of another package: importing them takes time.
    """
    app = typer.Typer(no_args_is_help=True, help=_HELP, epilog=_EPILOG, rich_markup_mode="markdown")
    others = [point.load() for point in entry_points(group=_GROUP)]
    names = {name for other in others for name in _names(other)}
    app.callback()(_connect_unless(names))
    if not arguments or arguments[0] not in names:
        from cato_cli.commands import add_all  # noqa: PLC0415 - not needed for commands of other packages

        add_all(app)
    for other in others:
        app.registered_commands += other.registered_commands
        app.registered_groups += other.registered_groups
    return app


def _names(app: typer.Typer) -> set[str]:
    commands = {
        each.name or each.callback.__name__ for each in app.registered_commands if each.callback is not None
    }
    return commands | {str(each.name) for each in app.registered_groups}


def _connect_unless(foreign: Container[str]) -> Callable[[typer.Context, str | None], None]:
    """Return the callback that makes the session, which commands of other packages do without."""

    def connect(
        context: typer.Context,
        profile: Annotated[
            str | None,
            typer.Option(envvar="CATO_PROFILE", help="The profile with the address and the token."),
        ] = None,
    ) -> None:
        if context.invoked_subcommand in foreign:
            return
        from cato_cli.session import Session  # noqa: PLC0415 - `cato up` starts sooner without it

        if context.obj is None:
            context.obj = Session()
        context.obj.profile = profile

    return connect


def main() -> None:
    """Run the command."""
    make_app(sys.argv[1:])()
