"""docker-compose.yml as it is: built, healthy, used as the README says, scaled and replaced during calls."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.docker.engine import ROOT, docker
from tests.docker.project import TOKEN
from tests.docker.runs import Run, wait_until

pytestmark = pytest.mark.timeout(1800)


def test_images_have_their_release_and_no_root(project):
    for service in ("media", "dialer", "reporting", "api-gateway", "console"):
        form = '{{index .Config.Labels "org.opencontainers.image.version"}} {{.Config.User}}'
        assert docker("image", "inspect", "--format", form, f"cato/{service}") == "0.1.0-test 10001:10001"


def test_steps_of_the_readme_give_the_right_report(project, tmp_path):
    block = re.search(
        r"<!-- steps with cato -->\n+```\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL
    )
    assert block is not None
    steps = [line.partition("#")[0].strip() for line in block[1].splitlines() if line.startswith("cato ")]
    environment = {
        **os.environ,
        "CATO_URL": project.url,
        "CATO_TOKEN": TOKEN,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "XDG_CONFIG_HOME": str(tmp_path),
    }
    said = {}
    for line in steps:
        done = subprocess.run(
            ["sh", "-c", line],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        # One of them is always busy.
        assert done.returncode == (3 if line.startswith("cato call ") else 0), (
            line,
            done.stdout,
            done.stderr,
        )
        said[line.split()[1]] = done.stdout
    assert "Пётр Семёнов" in said["report"]
    assert "busy" in said["report"]
    assert "Ivan" not in said["report"]
    assert "Olga Popova" in said["history"]


def has_called(container: str) -> bool:
    logs = subprocess.run(["docker", "logs", container], capture_output=True, text=True, check=False)
    return "call ended" in logs.stderr


def test_no_call_is_lost_while_the_dialers_are_one_then_three_then_one(project, exchange, client):
    called = Run(client, 200, first=100)
    called.await_calls(client, reached=1)
    project("up", "--detach", "--wait", "--no-recreate", "--scale", "dialer-dial=3")
    dialers = project.containers("dialer-dial")
    assert len(dialers) == 3
    wait_until(lambda: all(map(has_called, dialers)), "not every dialer has calls")
    project("up", "--detach", "--wait", "--no-recreate", "--scale", "dialer-dial=1")
    assert len(project.containers("dialer-dial")) == 1
    called.assert_each_was_called_once(client, exchange)


def test_replacing_all_containers_during_calls_ends_and_loses_nothing(project, exchange, client):
    before = project.containers("nats")
    called = Run(client, 90, first=1000)
    called.await_calls(client, reached=10)
    started = time.monotonic()
    project("up", "--detach", "--wait", "--force-recreate", timeout=400)
    print(f"all containers were replaced in {time.monotonic() - started:.0f} s")
    assert project.containers("nats") != before
    called.assert_each_was_called_once(client, exchange)
