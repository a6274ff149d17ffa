"""The whole system, and an exchange to call; both run for a whole session of tests."""

from collections.abc import Iterator

import pytest

from tests.support.live_system import PROMPT, Client, LiveExchange, LiveStack

TOKENS = [
    {"token": "default", "user": "user"},
    {"token": "admin", "user": "root", "permissions": ["read", "admin"]},
]


@pytest.fixture(scope="session")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveExchange]:
    live = LiveExchange(tmp_path_factory.mktemp("exchange"))
    live.start()
    yield live
    live.stop()


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory, exchange: LiveExchange) -> Iterator[LiveStack]:
    live = LiveStack(
        tmp_path_factory.mktemp("stack"), exchange.port, config={"tokens": TOKENS}, preloaded=False
    )
    live.start()
    yield live
    live.stop()


@pytest.fixture
def client(stack: LiveStack) -> Iterator[Client]:
    made = stack.client()
    yield made
    made.http.close()


@pytest.fixture(scope="session")
def spoken_prompt() -> bytes:
    return PROMPT.read_bytes()
