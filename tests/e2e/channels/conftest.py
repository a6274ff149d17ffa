"""A stack with 30 channels, an exchange, and optional dial replicas."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.live_system import Client, LiveDialer, LiveExchange, LiveStack, configuration
from tests.support.tones import tone

CHANNELS = 30
PLAN = Path(__file__).with_name("number_plan.yaml")

StartReplica = Callable[[], LiveDialer]


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveExchange]:
    made = LiveExchange(tmp_path_factory.mktemp("exchange"), PLAN)
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def interval_ms() -> int:
    """The station's minimum interval between calls; a module can override it."""
    return 0


@pytest.fixture(scope="module")
def stack(
    tmp_path_factory: pytest.TempPathFactory, exchange: LiveExchange, interval_ms: int
) -> Iterator[LiveStack]:
    config = configuration(exchange.port, CHANNELS, minCallIntervalMs=interval_ms)
    made = LiveStack(tmp_path_factory.mktemp("stack"), exchange.port, CHANNELS, config)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def client(stack: LiveStack) -> Iterator[Client]:
    made = stack.client()
    yield made
    made.http.close()


@pytest.fixture
def prompt(client: Client) -> str:
    return client.add_prompt(f"tone-{uuid.uuid4().hex}", tone(0.5))["id"]


@pytest.fixture
def start_replica(
    tmp_path: Path, exchange: LiveExchange, stack: LiveStack, interval_ms: int
) -> Iterator[StartReplica]:
    """Return a function that starts a dial replica; its calls have the caller id 776402."""
    started = []

    def start() -> LiveDialer:
        config = configuration(exchange.port, CHANNELS, minCallIntervalMs=interval_ms, callerId="776402")
        replica = LiveDialer(tmp_path / f"replica-{len(started)}", stack.broker_url, config)
        started.append(replica)
        replica.start()
        return replica

    yield start
    for replica in started:
        replica.stop()
