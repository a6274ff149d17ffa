"""docker-compose.yml as it is: built, healthy, used as the README says, scaled and replaced during calls."""

import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.docker.engine import ROOT, docker, run
from tests.docker.runs import Exchange, Run, client_of, wait_until
from tests.support.live_system import free_port, free_sip_port

pytestmark = pytest.mark.timeout(1800)

TOKEN = "token-of-the-test"
CONFIG = ROOT / "deploy/compose/config/cato.yaml"
README_RULES = [
    {"match": r"10\d+", "behaviour": "answer", "ring_s": 0.3},
    {"match": r"20\d+", "behaviour": "busy"},
    {"match": r"23\d+", "behaviour": "answer", "ring_s": 0.2, "answer_on_attempt": 2, "before": "busy"},
]
"""What assets/exchange.yaml says of the people in assets/people.csv."""


class Project:
    """The compose project of the tests: own ports, own passwords, a station at the port of the exchange."""

    def __init__(self, command: list[str], directory: Path, sip_port: int) -> None:
        config = directory / "config"
        config.mkdir()
        (config / "cato.yaml").write_text(CONFIG.read_text().replace(":5070;", f":{sip_port};"))
        api, broker, console = (f"127.0.0.1:{free_port(socket.SOCK_STREAM)}" for _ in range(3))
        self.url = f"http://{api}"
        self._command = [*command, "--project-name", f"cato-test-{os.getpid()}", "--env-file", os.devnull]
        self.environment = {
            **os.environ,
            "APP_TOKEN": TOKEN,
            "NATS_PASSWORD": "broker-secret",
            "CLICKHOUSE_PASSWORD": "tables-secret",
            "CATO_CONFIG_DIRECTORY": str(config),
            "API_ADDRESS": api,
            "NATS_ADDRESS": broker,
            "CONSOLE_ADDRESS": console,
            "VERSION": "0.1.0-test",
            "DOCKER_BUILDKIT": "0",
        }

    def __call__(self, *arguments: str, timeout: float = 300) -> str:
        return run([*self._command, *arguments], cwd=ROOT, env=self.environment, timeout=timeout)

    def containers(self, service: str) -> list[str]:
        return self("ps", "--quiet", service).split()


@pytest.fixture(scope="module")
def exchange(docker_engine, tmp_path_factory):
    live = Exchange(tmp_path_factory.mktemp("exchange"), port=free_sip_port())
    live.start_at("127.0.0.1", live.port, README_RULES)
    yield live
    live.stop()


@pytest.fixture(scope="module")
def project(compose, exchange, tmp_path_factory):
    made = Project(compose, tmp_path_factory.mktemp("compose"), exchange.port)
    made("build", timeout=1500)
    started = time.monotonic()
    try:
        made("up", "--detach", "--wait")
        print(f"healthy {time.monotonic() - started:.0f} s after `compose up --wait`")
        yield made
    finally:
        logs = subprocess.run(
            [*made._command, "logs", "--no-color"],
            cwd=ROOT,
            env=made.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        (Path(made.environment["CATO_CONFIG_DIRECTORY"]).parent / "compose.log").write_text(logs.stdout)
        made("down", "--volumes", "--timeout", "60")


@pytest.fixture
def client(project):
    made = client_of(project.url, TOKEN)
    yield made
    made.http.close()


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
