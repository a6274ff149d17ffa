"""A dialer that is cut off from the broker, or frozen, keeps its calls; nobody is called while one is up."""

import itertools
import os
import signal
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.chaos.tcp_proxy import TcpProxy
from tests.e2e.channels.exchange_view import peak
from tests.support.live_system import (
    Client,
    LiveDialer,
    LiveExchange,
    LiveStack,
    assert_consistent,
    configuration,
)
from tests.support.tones import tone

CHANNELS = 6
LISTENERS = 6
HASTY = 24
PROMPT_S = 18
REPLICA_ID = "776402"


@pytest.fixture
def channels() -> int:
    return CHANNELS


@pytest.fixture
def proxy(stack: LiveStack) -> Iterator[TcpProxy]:
    port = urlsplit(stack.broker_url).port
    assert port is not None
    with TcpProxy(port) as made:
        yield made


@pytest.fixture
def replica(
    tmp_path: Path, stack: LiveStack, exchange: LiveExchange, proxy: TcpProxy
) -> Iterator[LiveDialer]:
    """A second dial replica, behind the proxy; its calls have their own caller id."""
    url = stack.broker_url.replace(f":{urlsplit(stack.broker_url).port}", f":{proxy.port}")
    made = LiveDialer(tmp_path / "replica", url, configuration(exchange.port, CHANNELS, callerId=REPLICA_ID))
    made.start()
    yield made
    made.stop()


@dataclass(frozen=True)
class Listening:
    """A run in which all people who listen to the prompt are on the line at the same time."""

    id: str
    numbers: list[str]
    listeners: list[str]


def start_run(client: Client, **settings: Any) -> Listening:
    """Start a run and return when its listeners are on the line; the calls to the others have ended."""
    prompt = client.add_prompt(f"tone-{uuid.uuid4().hex}", tone(PROMPT_S))
    listeners = [f"10{n:04}" for n in range(LISTENERS)]
    # They hang up soon. Meanwhile the dialers find each other and share the channels.
    hasty = [f"13{n:04}" for n in range(HASTY)]
    numbers = hasty + listeners
    people = [{"fullName": f"P{number}", "phones": number, "emails": ""} for number in numbers]
    task = client.make_task(people, files=[prompt["id"]], maxCallDurationS=60, **settings)
    run = client.start(task)
    deadline = time.monotonic() + 45
    while True:
        report = client.report(run)
        if (report["callsFailed"], report["callsTalking"]) == (HASTY, LISTENERS):
            return Listening(run, numbers, listeners)
        assert time.monotonic() < deadline, f"the calls are not up: {report}"
        time.sleep(0.05)


def assert_nobody_was_on_two_calls(records: list[dict[str, Any]]) -> None:
    by_number: dict[str, list[tuple[float, float]]] = {}
    for record in records:
        by_number.setdefault(record["number"], []).append((record["invite_ms"], record["end_ms"]))
    for number, calls in by_number.items():
        assert all(first[1] <= second[0] for first, second in itertools.pairwise(sorted(calls))), number


@pytest.mark.timeout(150)
def test_t21_calls_of_a_dialer_that_is_cut_off_for_20_s_are_made_once_and_count(
    client: Client, exchange: LiveExchange, replica: LiveDialer, proxy: TcpProxy
) -> None:
    run = start_run(client)
    proxy.cut()
    time.sleep(PROMPT_S + 2)  # the partition itself: the calls end in it
    proxy.heal()
    document = client.finished(run.id)

    records = exchange.records(set(run.numbers))
    assert_replica_had_a_listener(records)
    assert Counter(record["number"] for record in records) == Counter(run.numbers)
    assert_consistent(document["report"])
    assert document["report"]["subscriberNotified"] == LISTENERS
    assert document["report"]["callsTotal"] == len(records)


@pytest.mark.timeout(150)
def test_t21_subscribers_of_a_dialer_that_is_frozen_for_15_s_are_never_on_two_calls(
    client: Client, exchange: LiveExchange, replica: LiveDialer
) -> None:
    run = start_run(client, attemptCount=2)
    assert replica.process is not None
    os.kill(replica.process.pid, signal.SIGSTOP)
    time.sleep(15)  # the freeze itself
    os.kill(replica.process.pid, signal.SIGCONT)
    document = client.finished(run.id, timeout_s=120)

    records = exchange.records(set(run.numbers))
    assert_replica_had_a_listener(records)
    assert_nobody_was_on_two_calls(records)
    assert peak(records) <= CHANNELS
    assert_consistent(document["report"])
    assert document["report"]["subscriberNotified"] == LISTENERS
    assert document["report"]["callsTotal"] == len(records)


def assert_replica_had_a_listener(records: list[dict[str, Any]]) -> None:
    listening = [record for record in records if record["number"].startswith("10")]
    assert REPLICA_ID in {record["from_number"] for record in listening}, "the replica had no listener"
