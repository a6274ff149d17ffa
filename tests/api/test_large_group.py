"""A group of a hundred thousand subscribers: uploaded in one request, and read back."""

import json
import socket
import time
from pathlib import Path

import pytest

from tests.support.live_system import LiveStack, free_port

COUNT = 100_000
SERVICES = ("api-gateway", "dialer", "media", "reporting")
MOST_ADDED_KB = 100 * 1024
"""How much memory the requests may add to an idle process: less than one copy of the list as objects."""

GENEROUS_S = 60
PAGE = 1000


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    """Start processes that have done nothing else: the test measures their memory."""
    live = LiveStack(tmp_path_factory.mktemp("stack"), free_port(socket.SOCK_DGRAM), preloaded=False)
    live.start()
    yield live
    live.stop()


def memory_kb(pid: int, line: str) -> int:
    """Return the resident memory of a process: now (`VmRSS`) or at its peak (`VmHWM`)."""
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(each.split()[1] for each in status if each.startswith(f"{line}:")))


class AddedMemory:
    """The memory of the services above their idle use, from now on.

    Idle memory is left out: it depends on the machine, on its cores and on the libraries' pages in its cache.
    """

    def __init__(self, stack: LiveStack) -> None:
        self._pids = {service: stack.pid(service) for service in SERVICES}
        for pid in self._pids.values():
            Path(f"/proc/{pid}/clear_refs").write_text("5")  # the peak begins again at the present value
        self._idle = {service: memory_kb(pid, "VmRSS") for service, pid in self._pids.items()}

    def peaks_kb(self) -> dict[str, int]:
        return {service: memory_kb(pid, "VmHWM") - self._idle[service] for service, pid in self._pids.items()}


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
def test_a_group_of_100_000_is_uploaded_and_read_back_in_bounded_memory(client, stack, people):
    added = AddedMemory(stack)
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

    memory = added.peaks_kb()
    print(  # noqa: T201
        f"\n{COUNT} subscribers, {len(body) / 1e6:.1f} MB: accepted in {accepted_s:.1f} s,"
        f" read as CSV in {csv_s:.1f} s, in pages of {PAGE} in {pages_s:.1f} s;"
        f" memory added in MB: { {service: kb // 1024 for service, kb in memory.items()} }"
    )
    assert all(kb < MOST_ADDED_KB for kb in memory.values()), memory
