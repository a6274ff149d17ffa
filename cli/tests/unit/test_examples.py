"""Every command has examples in its help, and they work."""

import shlex
import subprocess
import sys
from collections.abc import Iterator

import pytest
import typer

from cato_cli.main import make_app
from cato_cli.problems import ClientCommand


def commands(group: typer.core.TyperGroup, *names: str) -> Iterator[tuple[tuple[str, ...], object]]:
    """Yield the commands of the application with their names."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, *names, name)
        else:
            yield (*names, name), command


COMMANDS = dict(commands(typer.main.get_command(make_app())))
OWN = {names: command for names, command in COMMANDS.items() if isinstance(command, ClientCommand)}
EXAMPLES = [example for command in OWN.values() for example in command.epilog.split("\n\n")[1:]]


def test_the_commands_are_those_of_the_manual_and_of_the_system():
    assert {" ".join(names) for names in OWN} == {
        "approvals",
        "approve",
        "audio add",
        "audio list",
        "audio remove",
        "call",
        "exclusion add",
        "exclusion drop",
        "exclusion list",
        "exclusion put",
        "exclusion remove",
        "exclusion show",
        "export calls",
        "export group",
        "export people",
        "group add",
        "group list",
        "group remove",
        "group show",
        "history",
        "pause",
        "profile add",
        "profile list",
        "profile remove",
        "profile use",
        "reject",
        "repeat",
        "report",
        "resume",
        "runs",
        "settings add",
        "settings list",
        "settings remove",
        "settings show",
        "sip-trace list",
        "sip-trace remove",
        "sip-trace save",
        "sip-trace start",
        "stations",
        "stop",
        "watch",
    }
    assert {names[0] for names in set(COMMANDS) - set(OWN)} == {
        "up",
        "demo",
        "exchange",
        "sql",
        "dead-letters",
    }


@pytest.mark.parametrize("names", COMMANDS, ids=" ".join)
def test_the_help_of_every_command_has_an_example_of_it(town, names):
    shown = " ".join(town.done(*names, "--help").split())
    assert "Example" in shown
    examples = COMMANDS[names].epilog.split("\n\n")[1:]
    assert examples
    for example in examples:
        assert example.startswith(f"cato {' '.join(names)}")
        assert example in shown


@pytest.mark.parametrize("command", OWN.values(), ids=lambda command: command.name)
def test_every_result_can_be_json(command):
    assert "--json" in {option for parameter in command.params for option in parameter.opts}


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_works(furnished, example):
    arguments = shlex.split(example)[1:]
    furnished.done(*arguments, input="secret\n" if arguments[:2] == ["profile", "add"] else None)


def test_the_help_of_the_command_names_the_exit_codes(town):
    shown = " ".join(town.done("--help").split())
    for words in ("CATO_URL", "CATO_TOKEN", "3 not everyone was reached", "--install-completion"):
        assert words in shown


def test_commands_of_other_packages_start_without_what_operators_need():
    script = "import sys; from cato_cli.main import make_app; make_app(['up']); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not {"httpx", "pydantic", "rich.console", "cato_client"} & set(loaded.stdout.split())
