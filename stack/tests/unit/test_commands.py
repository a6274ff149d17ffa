"""The commands that are installed: their help, and the format of their logs."""

import sys
from importlib.metadata import EntryPoint, entry_points

import pytest

COMMANDS = sorted(
    (point for point in entry_points(group="console_scripts") if point.name.split("-")[0] == "cato"),
    key=lambda point: point.name,
)
SUBCOMMANDS = (["up"], ["demo"], ["exchange"], ["dead-letters"], ["dead-letters", "list"])


def test_s6_the_commands_are_those_of_the_packages():
    assert {point.name for point in COMMANDS} == {
        "cato",
        "cato-console",
        "cato-dialer",
        "cato-exchange",
        "cato-gateway",
        "cato-media",
        "cato-reporting",
    }


@pytest.mark.parametrize("command", COMMANDS, ids=lambda point: point.name)
def test_s6_every_command_has_help(command: EntryPoint, capsys, monkeypatch):
    assert_helps(command, [], capsys, monkeypatch)


@pytest.mark.parametrize("arguments", SUBCOMMANDS, ids=" ".join)
def test_s6_every_subcommand_has_help(arguments: list[str], capsys, monkeypatch):
    (cato,) = (point for point in COMMANDS if point.name == "cato")
    assert_helps(cato, arguments, capsys, monkeypatch)


def assert_helps(command: EntryPoint, arguments: list[str], capsys, monkeypatch) -> None:
    monkeypatch.setattr(sys, "argv", [command.name, *arguments, "--help"])
    with pytest.raises(SystemExit) as ended:
        command.load()()
    output = capsys.readouterr()
    assert ended.value.code in {0, None}
    assert "usage" in output.out.lower()
    assert output.err == ""
