"""The whole system behind its REST API, without an exchange, because no call is needed."""

import socket
from collections.abc import Iterator

import pytest

from tests.support.live_system import Client, LiveStack, free_port

TOKENS = [
    {"token": "default", "user": "user"},
    {"token": "stranger", "user": "stranger"},
    {"token": "analyst", "user": "analyst", "permissions": ["analyst"]},
    {"token": "reader", "user": "user", "permissions": ["read"]},
    {"token": "root", "user": "root", "permissions": ["read", "write", "run", "admin"]},
]


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveStack]:
    live = LiveStack(
        tmp_path_factory.mktemp("stack"), free_port(socket.SOCK_DGRAM), config={"tokens": TOKENS}
    )
    live.start()
    yield live
    live.stop()


@pytest.fixture
def client(stack: LiveStack) -> Iterator[Client]:
    made = stack.client()
    yield made
    made.http.close()
