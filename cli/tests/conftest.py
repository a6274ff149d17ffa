from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from typer import Typer

from cato_cli.main import make_app
from cli.tests.support.town import Town
from tests.support.gateway.stack import MemoryStack


@pytest.fixture(scope="session")
def api() -> FastAPI:
    return MemoryStack().app


@pytest.fixture(scope="session")
def command() -> Typer:
    return make_app()


@pytest.fixture
def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, api: FastAPI, command: Typer) -> Iterator[Town]:
    """The command in an empty directory, without anything of the user's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in ("CATO_URL", "CATO_TOKEN", "CATO_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    made = Town(api, command)
    yield made
    made.bridge.end()


@pytest.fixture
def furnished(town: Town, tmp_path: Path) -> Town:
    town.furnish(tmp_path)
    return town
