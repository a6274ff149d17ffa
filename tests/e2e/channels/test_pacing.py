"""Three replicas never exceed a pacing rule, by the records of the exchange; others are called meanwhile."""

from collections.abc import Iterator

import pytest

from tests.e2e.channels.conftest import CHANNELS
from tests.e2e.channels.exchange_view import peak
from tests.e2e.channels.people import numbers_of, people
from tests.e2e.channels.stalls import StallWatch
from tests.support.live_system import LiveExchange, LiveStack, configuration

MAX_CALLS, PER_S = 4, 4
LENIENCE_MS = 50
"""The delay of a process that the interval between starts makes up for, on the way to the wire."""
ALL = ["read", "write", "run", "admin"]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, exchange: LiveExchange) -> Iterator[LiveStack]:
    tokens = {"tokens": [{"token": "default", "user": "user", "permissions": ALL}]}
    config = configuration(exchange.port, CHANNELS) | tokens
    made = LiveStack(tmp_path_factory.mktemp("stack"), exchange.port, CHANNELS, config)
    made.start()
    yield made
    made.stop()


@pytest.mark.timeout(180)
def test_three_replicas_never_exceed_a_rule_and_call_the_others_meanwhile(
    client, exchange, prompt, start_replica
):
    start_replica()
    start_replica()
    client.call("PUT", "/pacing-rules/few", json={"prefixes": ["1005"], "maxCalls": MAX_CALLS})
    client.call("PUT", "/pacing-rules/slow", json={"prefixes": ["1006"], "maxCallsPerS": PER_S})
    few, slow, others = people("1005", 24), people("1006", 16), people("1007", 60)
    with StallWatch() as stalls:
        run = client.start(client.make_task(few + slow + others, files=[prompt]))
        report = client.finished(run)["report"]
    assert report["subscriberNotified"] == 100

    # A call that misses its start on a busy machine is recorded, not sent, and made again.
    at_few, at_slow, at_others = (exchange.records(numbers_of(each)) for each in (few, slow, others))
    assert len(at_few) + len(at_slow) + len(at_others) == 100
    assert peak(at_few) <= MAX_CALLS
    # The others do not wait for those whom a rule holds up.
    assert peak(at_others) > 2 * MAX_CALLS
    assert max(one["invite_ms"] for one in at_others) < max(one["invite_ms"] for one in at_few)
    starts = [record["invite_ms"] for record in at_slow]
    within = max(sum(first <= other < first + 1000 for other in starts) for first in starts)
    if within > PER_S and stalls.worst_ms > LENIENCE_MS:
        pytest.skip(f"NOT SHOWN: this machine let processes wait for up to {stalls.worst_ms:.0f} ms")
    assert within <= PER_S
    assert {one["name"] for one in client.call("GET", "/pacing-rules")["items"]} == {"few", "slow"}
