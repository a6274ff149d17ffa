"""An urgent run starts at once while another one holds all channels that it may use."""

import time
import uuid
from collections.abc import Iterator

import pytest

from tests.e2e.channels.exchange_view import load
from tests.e2e.channels.people import numbers_of, people
from tests.support.live_system import LiveExchange, LiveStack
from tests.support.tones import tone

CHANNELS, RESERVED = 8, 2
LONG_S = 60.0
"Longer than an urgent call waits on a machine so busy that the dialer starts no call for a while."


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, exchange: LiveExchange) -> Iterator[LiveStack]:
    licence = {"license": {"reserved": {"channels": RESERVED, "fromPriority": 10}}}
    made = LiveStack(tmp_path_factory.mktemp("stack"), exchange.port, CHANNELS, licence)
    made.start()
    yield made
    made.stop()


def test_a_run_of_priority_10_calls_while_another_holds_all_other_channels(client, exchange):
    long = client.add_prompt(f"tone-{uuid.uuid4().hex}", tone(LONG_S))["id"]
    short = client.add_prompt(f"tone-{uuid.uuid4().hex}", tone(0.5))["id"]
    crowd, urgent = people("1003", 18), people("1004", 1)
    ordinary = client.start(client.make_task(crowd, files=[long]))
    deadline = time.monotonic() + 30
    while client.report(ordinary)["callsTalking"] < CHANNELS - RESERVED:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    task = client.make_task(urgent, files=[short])
    stored = client.call("GET", f"/tasks/{task}")
    client.call("PUT", f"/tasks/{task}", json={**stored, "priority": 10})
    run = client.start(task)
    client.finished(run)
    (call,) = exchange.records(numbers_of(urgent))
    client.http.put(f"/task-execs/{ordinary}/stop", params={"hangup": "true"})
    client.finished(ordinary)
    others = exchange.records(numbers_of(crowd))
    assert call["invite_ms"] < min(record["end_ms"] for record in others)
    up = load(others)
    assert max(count for _, count in up) == CHANNELS - RESERVED
    at_that_time = [count for moment, count in up if moment <= call["invite_ms"]][-1]
    assert at_that_time == CHANNELS - RESERVED
