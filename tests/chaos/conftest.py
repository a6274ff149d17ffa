"""Each chaos test has its own stack."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.live_system import LiveExchange, LiveStack


@pytest.fixture
def exchange(tmp_path: Path) -> Iterator[LiveExchange]:
    made = LiveExchange(tmp_path / "exchange")
    made.start()
    yield made
    made.stop()


@pytest.fixture
def stack(tmp_path: Path, exchange: LiveExchange) -> Iterator[LiveStack]:
    made = LiveStack(tmp_path / "stack", exchange.port)
    made.start()
    yield made
    made.stop()
