"""Every service is killed in the middle of a thousand requests: each key leaves exactly one resource."""

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from tests.live_system import AUTH, LiveStack
from tests.tones import tone

REQUESTS = 1000
CLIENTS = 25
KILL_AFTER = {"media": 100, "api-gateway": 250, "reporting": 400, "dialer": 550}
DEADLINE_S = 60
LATER = "2099-01-01T00:00:00Z"
OCTETS = {"Content-Type": "application/octet-stream"}
SETTINGS = {"attemptCount": 1, "successCondition": "PICKUP_PHONE"}


@dataclass
class Wanted:
    """A request that makes or changes something, and the name by which that can be found."""

    method: str
    path: str
    name: str
    options: dict[str, Any]


@dataclass
class Storm:
    """A thousand requests at once, each repeated with its key until it is answered."""

    clients: list[httpx.AsyncClient]
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    repeated: Counter[str] = field(default_factory=Counter)
    finished: int = 0
    progress: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def send(self, method: str, path: str, key: str | None = None, **options: Any) -> Any:
        headers = {**options.pop("headers", {}), **({"Idempotency-Key": key} if key else {})}
        waited = 0.05
        http = random.choice(self.clients)
        while True:
            try:
                answer = await http.request(method, path, headers=headers, **options)
            except httpx.TransportError as error:
                self.repeated[type(error).__name__] += 1
            else:
                if answer.status_code != 503:
                    assert answer.status_code == 200, f"{method} {path}: {answer.status_code} {answer.text}"
                    return answer.json()
                self.repeated["503"] += 1
            await asyncio.sleep(waited * (0.5 + random.random()))
            waited = min(waited * 2, 1)

    async def carry_out(self, wanted: Wanted) -> None:
        answer = await self.send(wanted.method, wanted.path, key=f"key-{wanted.name}", **wanted.options)
        if wanted.method != "GET":
            self.answers[wanted.name] = answer
        async with self.progress:
            self.finished += 1
            self.progress.notify_all()

    async def has_finished(self, count: int) -> None:
        async with self.progress:
            await self.progress.wait_for(lambda: self.finished >= count)

    async def everything(self, collection: str, **parameters: Any) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            query = {"limit": 200, **parameters, **({"cursor": cursor} if cursor else {})}
            page = await self.send("GET", collection, params=query)
            items += page["items"]
            cursor = page["nextCursor"]
            if cursor is None:
                return items


async def parts_of_a_task(storm: Storm) -> dict[str, str]:
    audio = await storm.send("PUT", "/audio-files/add/base", content=tone(0.2), headers=OCTETS)
    people = [{"fullName": "Ivan", "phones": "1"}]
    group = await storm.send("PUT", "/subscriber-groups/add/base", json=people)
    settings = await storm.send("POST", "/notification-settings", json={"name": "base", **SETTINGS})
    return {"settings": settings["id"], "files": audio["id"], "groups": group["id"]}


async def some_tasks(storm: Storm, parts: dict[str, str], count: int) -> list[str]:
    # They wait for their time: what is shown here is that each was started once.
    bodies = ({"name": f"startable-{no}", "startAt": LATER, **parts} for no in range(count))
    return [(await storm.send("POST", "/tasks", json=body))["id"] for body in bodies]


def mixed(parts: dict[str, str], tasks: list[str]) -> Iterator[Wanted]:
    for no in range(300):
        body = {"name": f"settings-{no}", **SETTINGS}
        yield Wanted("POST", "/notification-settings", body["name"], {"json": body})
        people = [{"fullName": f"P{no}", "phones": [str(no), str(no + 1)]}]
        yield Wanted("PUT", f"/subscriber-groups/add/group-{no}", f"group-{no}", {"json": people})
    for no in range(100):
        body = {"name": f"task-{no}", **parts}
        yield Wanted("POST", "/tasks", body["name"], {"json": body})
        content = {"content": tone(0.05, 300 + no), "headers": OCTETS}
        yield Wanted("PUT", f"/audio-files/add/audio-{no}", f"audio-{no}", content)
        yield Wanted("GET", "/tasks", f"read-{no}", {"params": {"limit": 5}})
    for no, task in enumerate(tasks):
        yield Wanted("PUT", f"/tasks/{task}/start", f"start-{no}", {})


async def kill_each(stack: LiveStack, storm: Storm) -> dict[str, int]:
    killed = {}
    for service, count in KILL_AFTER.items():
        await storm.has_finished(count)
        assert storm.finished < REQUESTS
        killed[service] = stack.kill(service)
    return killed


def new_client(stack: LiveStack) -> httpx.AsyncClient:
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    return httpx.AsyncClient(base_url=f"{stack.url}/api/v1", headers=AUTH, timeout=30, limits=limits)


@pytest.mark.timeout(180)
async def test_each_key_leaves_exactly_one_resource(stack):
    async with AsyncExitStack() as open_clients:
        # Many clients rather than one: the pool of one looks through all its connections for each request.
        clients = [new_client(stack) for _ in range(CLIENTS)]
        storm = Storm([await open_clients.enter_async_context(client) for client in clients])
        parts = await parts_of_a_task(storm)
        tasks = await some_tasks(storm, parts, 100)
        requests = list(mixed(parts, tasks))
        assert len(requests) == REQUESTS
        random.Random(4).shuffle(requests)
        began = time.perf_counter()
        async with asyncio.timeout(DEADLINE_S), asyncio.TaskGroup() as group:
            killer = group.create_task(kill_each(stack, storm))
            for wanted in requests:
                group.create_task(storm.carry_out(wanted))
        seconds = time.perf_counter() - began
        print(f"\n{REQUESTS} requests in {seconds:.1f} s, repeated: {dict(storm.repeated)}")  # noqa: T201
        assert storm.repeated.total() > 0
        killed = killer.result()
        for service, pid in killed.items():
            assert stack.pid(service) != pid
        await each_is_there_once(storm, requests, tasks)


async def each_is_there_once(storm: Storm, requests: list[Wanted], tasks: list[str]) -> None:
    made: dict[str, list[str]] = {}
    for collection in ("/notification-settings", "/subscriber-groups", "/audio-files", "/tasks"):
        for item in await storm.everything(collection):
            made.setdefault(item["name"], []).append(item["id"])
    runs: dict[str, list[str]] = {}
    for run in await storm.everything("/task-execs"):
        runs.setdefault(run["taskId"], []).append(run["id"])
    for wanted in requests:
        if wanted.method == "GET":
            continue
        answer = storm.answers[wanted.name]
        if wanted.name.startswith("start"):
            task = tasks[int(wanted.name.removeprefix("start-"))]
            assert runs[task] == [answer["taskExecId"]], wanted.name
        else:
            assert made[wanted.name] == [answer["id"]], wanted.name
    for wanted in random.Random(5).sample([each for each in requests if each.method != "GET"], 100):
        again = await storm.send(wanted.method, wanted.path, key=f"key-{wanted.name}", **wanted.options)
        assert json.dumps(again) == json.dumps(storm.answers[wanted.name]), wanted.name
