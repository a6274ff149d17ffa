"""`cato profile`: addresses and tokens by name."""

import sys
from typing import Annotated

import typer

from cato_cli.options import AsJson, command, session
from cato_cli.output import print_done, print_json, print_table
from cato_cli.problems import UsageProblemError
from cato_cli.profiles import Profiles, Target, profiles_file, read_profiles, write_profiles

app = typer.Typer(name="profile", help="Addresses and tokens by name.", no_args_is_help=True)

Known = Annotated[str, typer.Argument(help="The name of the profile.")]


@command(app, "add", "cato profile add town --url https://cato.example.org")
def add(
    name: Known,
    url: Annotated[str, typer.Option(help="The address of the system.")],
    as_json: AsJson = False,
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
    if as_json:
        print_json({"name": name, "file": str(profiles_file())})
    else:
        session().console.print(f"kept in {profiles_file()}", markup=False, highlight=False)


@command(app, "list", "cato profile list")
def list_profiles(as_json: AsJson = False) -> None:
    """List the profiles; tokens are not shown."""
    profiles = read_profiles()
    if as_json:
        listed = {name: {"url": target.url} for name, target in profiles.targets.items()}
        print_json({"default": profiles.default, "profiles": listed})
        return
    rows = [
        (name, target.url, "default" if name == profiles.default else "")
        for name, target in profiles.targets.items()
    ]
    print_table(session(), ("profile", "address", ""), rows, "there are no profiles (cato profile add)")


@command(app, "use", "cato profile use town")
def use(name: Known, as_json: AsJson = False) -> None:
    """Use a profile without a word from now on."""
    profiles = _with(name)
    write_profiles(Profiles(name, profiles.targets))
    print_done(name, as_json=as_json)


@command(app, "remove", "cato profile remove town")
def remove(name: Known, as_json: AsJson = False) -> None:
    """Forget a profile."""
    profiles = _with(name)
    del profiles.targets[name]
    write_profiles(Profiles(None if profiles.default == name else profiles.default, profiles.targets))
    print_done(name, as_json=as_json)


def _with(name: str) -> Profiles:
    profiles = read_profiles()
    if name not in profiles.targets:
        raise UsageProblemError(f"there is no profile {name!r} (cato profile list)")
    return profiles
