"""`cato profile`: addresses and tokens by name."""

import sys
from typing import Annotated

import typer

from cato_cli.options import command, session
from cato_cli.output import print_table
from cato_cli.problems import UsageProblemError
from cato_cli.profiles import Profiles, Target, profiles_file, read_profiles, write_profiles

app = typer.Typer(name="profile", help="Addresses and tokens by name.", no_args_is_help=True)

Known = Annotated[str, typer.Argument(help="The name of the profile.")]


@command(app, "add", "cato profile add town --url https://cato.example.org")
def add(
    name: Known,
    url: Annotated[str, typer.Option(help="The address of the system.")],
) -> None:
    """Keep an address and a token. The token is asked for, or read from the standard input.

    The first profile is the one that is used without a word.
    """
    token = typer.prompt("Token", hide_input=True) if sys.stdin.isatty() else sys.stdin.readline()
    if not token.strip():
        raise UsageProblemError("the token is empty; nothing was kept")
    profiles = read_profiles()
    profiles.targets[name] = Target(url.rstrip("/"), token.strip())
    write_profiles(Profiles(profiles.default or name, profiles.targets))
    session().console.print(f"kept in {profiles_file()}", markup=False, highlight=False)


@command(app, "list", "cato profile list")
def list_profiles() -> None:
    """List the profiles; tokens are not shown."""
    profiles = read_profiles()
    rows = [
        (name, target.url, "default" if name == profiles.default else "")
        for name, target in profiles.targets.items()
    ]
    print_table(session(), ("profile", "address", ""), rows, "there are no profiles (cato profile add)")


@command(app, "use", "cato profile use town")
def use(name: Known) -> None:
    """Use a profile without a word from now on."""
    profiles = _with(name)
    write_profiles(Profiles(name, profiles.targets))


@command(app, "remove", "cato profile remove town")
def remove(name: Known) -> None:
    """Forget a profile."""
    profiles = _with(name)
    del profiles.targets[name]
    write_profiles(Profiles(None if profiles.default == name else profiles.default, profiles.targets))


def _with(name: str) -> Profiles:
    profiles = read_profiles()
    if name not in profiles.targets:
        raise UsageProblemError(f"there is no profile {name!r} (cato profile list)")
    return profiles
