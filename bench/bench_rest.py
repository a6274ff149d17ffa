"""The REST surface of the whole system on this machine: what one client waits, what many get through.

A line for each claim, with the ratio of what was measured to what is wanted; above 1 is better than wanted.
"""

import asyncio
import json
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.support.live_system import AUTH, LiveStack, free_port

SUBSCRIBERS = 100_000
SETTINGS = {"name": "s", "attemptCount": 1, "successCondition": "PICKUP_PHONE"}
ALONE = 300
CLIENTS = 16
REQUESTS = 2000
WANTED_GROUP_S = 5.0
WANTED_WAIT_MS = 10.0
WANTED_RATE = 100.0

Send = Callable[[httpx.AsyncClient], Awaitable[httpx.Response]]


def say(what: str, measured: str, ratio: float) -> None:
    print(f"{what:<52} {measured:>16}   {ratio:5.1f} x as good as wanted")


async def waits(client: httpx.AsyncClient, send: Send) -> float:
    """Return the median of what one client waits for an answer, in milliseconds."""
    times = []
    for _ in range(ALONE):
        began = time.perf_counter()
        (await send(client)).raise_for_status()
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1000


async def rate(url: str, send: Send) -> float:
    """Return the requests per second that several clients get through together."""

    async def one() -> None:
        async with httpx.AsyncClient(base_url=url, headers=AUTH, timeout=60) as client:
            for _ in range(REQUESTS // CLIENTS):
                (await send(client)).raise_for_status()

    began = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(CLIENTS)))
    return REQUESTS / (time.perf_counter() - began)


def people() -> bytes:
    listed = [
        {"fullName": f"Абонент {no:06}", "phones": [f"+7343{no:07}", str(100_000 + no)], "emails": ""}
        for no in range(SUBSCRIBERS)
    ]
    return json.dumps(listed, ensure_ascii=False).encode()


async def measure(url: str) -> None:
    operations: dict[str, Send] = {
        "GET /tasks": lambda client: client.get("/tasks"),
        "POST /notification-settings": lambda client: client.post("/notification-settings", json=SETTINGS),
    }
    async with httpx.AsyncClient(base_url=url, headers=AUTH, timeout=60) as client:
        for name, send in operations.items():
            median = await waits(client, send)
            say(f"{name}, one client waits", f"{median:.1f} ms", WANTED_WAIT_MS / median)
            per_second = await rate(url, send)
            say(f"{name}, {CLIENTS} clients get", f"{per_second:.0f} /s", per_second / WANTED_RATE)
        body = people()
        began = time.perf_counter()
        answer = await client.put(
            "/subscriber-groups/add/all", content=body, headers={"Content-Type": "application/json"}
        )
        answer.raise_for_status()
        seconds = time.perf_counter() - began
        say(f"{SUBSCRIBERS} subscribers accepted in", f"{seconds:.1f} s", WANTED_GROUP_S / seconds)


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        stack = LiveStack(Path(directory), free_port(socket.SOCK_DGRAM))
        stack.start()
        try:
            asyncio.run(measure(f"{stack.url}/api/v1"))
        finally:
            stack.stop()


if __name__ == "__main__":
    main()
