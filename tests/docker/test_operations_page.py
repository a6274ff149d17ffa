"""The commands of docs/operations.md, read from the page and tried one after another."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docker.engine import ROOT, docker, run
from tests.docker.page_commands import NOT_RUN_HERE, RUN_HERE, commands_of_page, is_loop
from tests.docker.project import TOKEN, Project
from tests.docker.runs import Run, wait_until

pytestmark = pytest.mark.timeout(1800)


class Shell:
    """Runs commands of the page as they are written there, with the compose project of the test."""

    def __init__(self, project: Project, directory: Path) -> None:
        self._directory = directory
        self._environment = dict(project.environment)
        programs = directory / "bin"
        programs.mkdir()
        if project.command[0] != "docker":
            # `docker compose` by the program that was installed for the test.
            real = shutil.which("docker")
            compose = f'[ "$1" = compose ] && shift && exec {project.command[0]} "$@"'
            (programs / "docker").write_text(f'#!/bin/sh\n{compose}\nexec {real} "$@"\n')
            (programs / "docker").chmod(0o755)
        self._environment |= {
            "PATH": f"{programs}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "COMPOSE_PROJECT_NAME": project.command[project.command.index("--project-name") + 1],
            "CATO_URL": project.url,
            "CATO_TOKEN": TOKEN,
            "CATO_NATS_URL": f"nats://operator:secret-of-operator@{project.environment['NATS_ADDRESS']}",
        }

    def __call__(self, line: str, *, inside: str | None = None) -> str:
        """Run a line, `inside` a container if it says so."""
        # The settings of a developer stay as they are.
        line = re.sub(r" \.env$", f" {self._directory / '.env'}", line)
        if inside is not None:
            return docker("exec", inside, "sh", "-c", line, timeout=120)
        return run(["sh", "-c", line], cwd=ROOT, env=self._environment, timeout=900)


def test_each_command_of_the_page_works(project, exchange, client, tmp_path):
    shell = Shell(project, tmp_path)
    called = Run(client, 5, first=3000)
    called.assert_each_was_called_once(client, exchange)

    def one(service: str) -> str:
        return project.containers(service)[0]

    def save_trace(line: str) -> None:
        """Save it once there is a call in it; it stays out of the tree."""
        Run(client, 1, first=3100).assert_each_was_called_once(client, exchange)
        saved = tmp_path / "nine.pcap"
        shell(line.replace("nine.pcap", str(saved)))
        assert b"INVITE sip:" in saved.read_bytes()

    tried = {
        "cp deploy/compose/.env.example .env": shell,
        "docker compose build": shell,
        "docker compose up --detach --wait": shell,
        "docker compose up": lambda line: shell(f"{line} --detach --wait"),
        "docker compose up --detach --scale dialer-dial=3": shell,
        "docker compose stop dialer-dial": shell,
        # `docker compose build` leaves profiles out, and `up` keeps an image that is there.
        "docker compose --profile exchange up --detach --wait exchange": lambda line: (
            shell("docker compose --profile exchange build exchange"),
            shell(line),
        ),
        # There is no program of Grafana here.
        "docker compose --profile monitoring up --detach --wait": lambda line: shell(
            f"{line} prometheus alertmanager"
        ),
        "docker compose kill --signal HUP dialer-dial": lambda line: (
            shell("docker compose up --detach --wait"),
            shell(line),
        ),
        "python -m cato_runtime.probe /readyz": lambda line: shell(line, inside=one("media")),
        "nats-server --signal reload": lambda line: shell(f"{line}=1", inside=one("nats")),
        "cato dead-letters list [--service NAME]": lambda line: (
            shell(line.replace("[", "").replace("]", "").replace("NAME", "dialer")),
        ),
        # With the user for operators.
        "cato dead-letters": lambda line: shell(f"{line} list"),
        "cato sql": lambda line: shell(f"{line} 'SELECT count() FROM runs'"),
        "cato runs": shell,
        "cato sip-trace start nine --station main --minutes 10 --pcap": shell,
        "cato sip-trace list": lambda line: wait_until(
            lambda: "nine" in shell(line), "the trace is not in the list"
        ),
        "cato sip-trace save nine -o nine.pcap": save_trace,
        "cato sip-trace remove nine": shell,
        "cato-reporting rebuild": lambda line: shell(line, inside=one("reporting")),
    }
    assert tried.keys() == RUN_HERE
    tried |= dict.fromkeys((line for line in commands_of_page() if is_loop(line)), shell)
    for line in commands_of_page():
        if line in tried:
            print(f"$ {line}")
            tried[line](line)
        else:
            print(f"NOT TRIED HERE: {line}: {NOT_RUN_HERE[line]}")
    logs = subprocess.run(["docker", "logs", one("dialer-dial")], capture_output=True, text=True, check=False)
    assert "configuration taken over" in logs.stderr
    # The tables were emptied and filled again from the log.
    wait_until(
        lambda: client.http.get(f"/task-execs/{called.id}").is_success, "the run is not there after a rebuild"
    )
    assert client.finished(called.id)["report"]["subscriberNotified"] == 5
