"""The disk of the broker is full during calls, and has space again later."""

import time
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.chaos.small_disk import fill, mount, unmount
from tests.support.live_system import AUTH, Client, LiveExchange, LiveStack, assert_consistent
from tests.support.tones import tone

CHANNELS = 4
PEOPLE = 8
PROMPT_S = 8
REASON = "the broker stores no messages; its disk may be full"
NOTICED_WITHIN_S = 20
RECOVERED_WITHIN_S = 15


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small file system for the data of the broker."""
    directory = tmp_path / "stack" / "data" / "nats"
    directory.mkdir(parents=True)
    try:
        mount(directory, "64m")
    except OSError as error:
        pytest.skip(f"NOT SHOWN: a file system cannot be mounted here: {error}")
    yield directory
    unmount(directory)


@pytest.fixture
def stack(tmp_path: Path, exchange: LiveExchange, disk: Path) -> Iterator[LiveStack]:
    made = LiveStack(tmp_path / "stack", exchange.port, CHANNELS)
    made.start()
    yield made
    made.stop()


def until_status(url: str, status: int, within_s: float) -> httpx.Response:
    """Return the first answer with this status."""
    began = time.monotonic()
    while True:
        answer = httpx.get(url, headers=AUTH, timeout=30)
        if answer.status_code == status:
            return answer
        assert time.monotonic() - began < within_s, f"{url}: {answer.status_code} {answer.text}"
        time.sleep(0.2)


@pytest.mark.timeout(200)
def test_s1_full_disk_is_told_and_survived_without_a_second_call(
    stack: LiveStack, client: Client, exchange: LiveExchange, disk: Path
) -> None:
    prompt = client.add_prompt(f"tone-{uuid.uuid4().hex}", tone(PROMPT_S))
    numbers = [f"10{n:04}" for n in range(PEOPLE)]
    people = [{"fullName": f"P{number}", "phones": number, "emails": ""} for number in numbers]
    run = client.start(client.make_task(people, files=[prompt["id"]]))
    deadline = time.monotonic() + 30
    while client.report(run)["callsTalking"] < CHANNELS:
        assert time.monotonic() < deadline, "the calls are not up"
        time.sleep(0.05)

    ballast = fill(disk)
    not_ready = until_status(f"{stack.url}/readyz", 503, NOTICED_WITHIN_S)
    assert not_ready.json()["message"] == REASON
    refused = until_status(f"{stack.url}/api/v1/task-execs/{run}", 503, NOTICED_WITHIN_S)
    assert refused.json()["message"] == REASON
    assert int(refused.headers["Retry-After"]) > 0

    ballast.unlink()
    until_status(f"{stack.url}/readyz", 200, RECOVERED_WITHIN_S)
    document = client.finished(run, timeout_s=120)
    records = exchange.records(set(numbers))
    assert Counter(record["number"] for record in records) == Counter(numbers)
    assert_consistent(document["report"])
    assert document["report"]["subscriberNotified"] == PEOPLE
    assert document["report"]["callsSucceeded"] == PEOPLE
