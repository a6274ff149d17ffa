"""Each chaos test has its own stack."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.live_system import Client, LiveExchange, LiveStack


@pytest.fixture
def exchange(tmp_path: Path) -> Iterator[LiveExchange]:
    made = LiveExchange(tmp_path / "exchange")
    made.start()
    yield made
    made.stop()


@pytest.fixture
def channels() -> int:
    """The channels of the station; a module can override it."""
    return 20


@pytest.fixture
def stack(tmp_path: Path, exchange: LiveExchange, channels: int) -> Iterator[LiveStack]:
    made = LiveStack(tmp_path / "stack", exchange.port, channels)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def client(stack: LiveStack) -> Iterator[Client]:
    made = stack.client()
    yield made
    made.http.close()
