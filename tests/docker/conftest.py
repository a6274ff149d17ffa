"""The system in containers. `make test-docker` runs these tests; elsewhere they are left out, and say so."""

import os
from pathlib import Path

import pytest

from tests.docker.engine import answers, can_start_an_engine, compose_command, engine, make_base_images


@pytest.fixture(scope="session")
def docker_engine(tmp_path_factory: pytest.TempPathFactory):
    if os.environ.get("CATO_TEST_DOCKER") != "1":
        pytest.skip(
            "NOT TESTED: the system in containers (`make test-docker` needs a Docker engine and half an hour)"
        )
    if not answers() and not can_start_an_engine():
        pytest.fail(
            "neither does a Docker engine answer, nor can this user start one (Debian package docker.io)"
        )
    # The path of a socket has at most 108 characters.
    with engine(Path(tmp_path_factory.mktemp("d"))):
        make_base_images()
        yield


@pytest.fixture(scope="session")
def compose(docker_engine):
    command = compose_command()
    assert command is not None, (
        "Docker has no plugin for Compose 2, and `make docker-tools` has not installed one"
    )
    return command
