"""A list of 100,000 subscribers, stored by one request and read back."""

import json
import socket
import time
from pathlib import Path

import pytest

from tests.support.live_system import LiveStack, free_port

COUNT = 100_000
SERVICES = ("api-gateway", "dialer", "media", "reporting")
MOST_MEMORY_KB = 300 * 1024
GENEROUS_S = 60
PAGE = 1000


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    """A stack of its own, because the peak memory of its processes is measured."""
    live = LiveStack(tmp_path_factory.mktemp("stack"), free_port(socket.SOCK_DGRAM))
    live.start()
    yield live
    live.stop()


def peak_memory_kb(stack: LiveStack, service: str) -> int:
    """Return the peak resident memory of the process."""
    status = Path(f"/proc/{stack.pid(service)}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")))


@pytest.fixture(scope="module")
def people():
    return [
        {
            "fullName": f"Абонент {no:06}",
            "phones": [f"+7343{no:07}", str(100_000 + no)],
            "emails": f"{no}@example.org",
        }
        for no in range(COUNT)
    ]


def read_back(client, group):
    found, cursor = [], None
    while True:
        parameters = {"limit": PAGE} | ({"cursor": cursor} if cursor else {})
        page = client.call("GET", f"/subscriber-groups/{group}/subscribers", params=parameters)
        found += page["items"]
        cursor = page["nextCursor"]
        if cursor is None:
            return found


@pytest.mark.timeout(180)
def test_100000_subscribers_are_stored_and_read_in_bounded_memory(client, stack, people):
    body = json.dumps(people, ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json"}
    started = time.perf_counter()
    group = client.call(
        "PUT", "/subscriber-groups/add/everybody", content=body, headers=headers, timeout=GENEROUS_S
    )
    accepted_s = time.perf_counter() - started
    assert group["subscriberCount"] == COUNT

    started = time.perf_counter()
    text = client.http.get(
        f"/subscriber-groups/{group['id']}/subscribers", params={"format": "csv"}, timeout=GENEROUS_S
    ).text
    csv_s = time.perf_counter() - started
    assert text.count("\r\n") == COUNT + 1
    assert text.splitlines()[1] == "Абонент 000000,+73430000000;100000,0@example.org"

    started = time.perf_counter()
    found = read_back(client, group["id"])
    pages_s = time.perf_counter() - started
    assert [(each["fullName"], each["phones"]) for each in found] == [
        (each["fullName"], each["phones"]) for each in people
    ]
    assert len({each["id"] for each in found}) == COUNT

    memory = {service: peak_memory_kb(stack, service) for service in SERVICES}
    print(  # noqa: T201
        f"\n{COUNT} subscribers, {len(body) / 1e6:.1f} MB: accepted in {accepted_s:.1f} s,"
        f" read as CSV in {csv_s:.1f} s, in pages of {PAGE} in {pages_s:.1f} s;"
        f" peak memory in MB: { {service: kb // 1024 for service, kb in memory.items()} }"
    )
    assert all(kb < MOST_MEMORY_KB for kb in memory.values()), memory
