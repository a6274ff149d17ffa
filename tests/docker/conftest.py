"""The system in containers. `make test-docker` runs these tests; elsewhere they are left out, and say so."""

import os
import time

import pytest

from tests.docker.engine import answers, can_start_an_engine, compose_command, engine, make_base_images
from tests.docker.project import TOKEN, Project
from tests.docker.runs import Exchange, client_of
from tests.support.live_system import free_sip_port

README_RULES = [
    {"match": r"10\d+", "behaviour": "answer", "ring_s": 0.3},
    {"match": r"20\d+", "behaviour": "busy"},
    {"match": r"23\d+", "behaviour": "answer", "ring_s": 0.2, "answer_on_attempt": 2, "before": "busy"},
]
"""What assets/exchange.yaml says of the people in assets/people.csv."""


@pytest.fixture(scope="session")
def docker_engine(tmp_path_factory: pytest.TempPathFactory):
    if os.environ.get("CATO_TEST_DOCKER") != "1":
        pytest.skip("NOT TESTED: the system in containers (`make test-docker` runs it, with a Docker engine)")
    if not answers() and not can_start_an_engine():
        pytest.fail(
            "neither does a Docker engine answer, nor can this user start one (Debian package docker.io)"
        )
    # The path of a socket has at most 108 characters.
    with engine(tmp_path_factory.mktemp("d")):
        make_base_images()
        yield


@pytest.fixture(scope="session")
def compose(docker_engine):
    command = compose_command()
    assert command is not None, "there is no Compose 2: `make docker-tools` has not installed it"
    return command


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
        made.keep_logs()
        made("down", "--volumes", "--timeout", "60")


@pytest.fixture
def client(project):
    made = client_of(project.url, TOKEN)
    yield made
    made.http.close()
