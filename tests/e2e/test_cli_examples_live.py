"""The examples in the help of the commands that need a whole system; the others run in `cli` and `stack`."""

import os
import shlex
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from cato_stack.cli import app
from tests.support.live_system import begin, end, free_port, wait_for_line

ROOT = Path(__file__).parents[2]
CATO = str(Path(sys.executable).with_name("cato"))
EXAMPLES = {
    command.name or command.callback.__name__: command.epilog.split("\n\n")[1]
    for command in app.registered_commands
}


@pytest.fixture
def clone(tmp_path):
    """A directory with what the examples name, as in a fresh clone."""
    for name in ("assets", "cato.yaml"):
        (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path


def arguments(name: str, *more: str) -> list[str]:
    program, *rest = shlex.split(EXAMPLES[name])
    assert program == "cato"
    return [CATO, *rest, *more]


def test_there_is_an_example_of_every_command():
    assert set(EXAMPLES) == {"up", "exchange", "demo", "sql"}


def test_the_example_of_sql_counts_calls(stack, clone):
    environment = {**os.environ, "CATO_NATS_URL": stack.broker_url}
    ended = subprocess.run(
        arguments("sql"),
        cwd=clone,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.split()[0] == "count()"


def test_the_example_of_exchange_answers_until_it_is_ended(clone):
    command = arguments("exchange", "--port", "0")
    process = begin(command, cwd=clone, stdout=subprocess.PIPE)
    try:
        assert wait_for_line(process, "ready")
    finally:
        end(process)
    assert process.returncode in {0, -signal.SIGTERM}


@pytest.mark.timeout(120)
def test_the_example_of_up_starts_the_system_and_names_the_console(clone):
    pages = free_port(socket.SOCK_STREAM)
    # The ports of the example may be in use on this machine.
    command = arguments("up", "--port", str(free_port(socket.SOCK_STREAM)), "--console-port", str(pages))
    process = begin(command, cwd=clone, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert wait_for_line(process, "ready")
        assert wait_for_line(process, "console") == f"console http://127.0.0.1:{pages}"
    finally:
        end(process)
    assert process.returncode == 0


@pytest.mark.timeout(240)
def test_the_example_of_demo_ends_as_planned(clone):
    ended = subprocess.run(
        arguments("demo"), cwd=clone, capture_output=True, text=True, check=False, timeout=220
    )
    assert ended.returncode == 0, ended.stdout
    assert "everything as planned" in ended.stdout
    assert "console at http://127.0.0.1:" in ended.stdout
    assert (clone / "demo-report.json").exists()
