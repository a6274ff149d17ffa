"""Each service is killed during a thousand requests: each idempotency key leaves exactly one resource."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
import pytest

from cato_client import AsyncClient, Operation, Patience, operations
from cato_client.models import NewTask, Person, Settings
from tests.support.live_system import LiveStack
from tests.support.tones import tone

REQUESTS = 1000
CLIENTS = 25
KILL_AFTER = {"media": 100, "api-gateway": 250, "reporting": 400, "dialer": 550}
DEADLINE_S = 180  # it takes about 35 s where nothing else runs
LATER = "2099-01-01T00:00:00Z"


class Counting(httpx.AsyncHTTPTransport):
    """Counts the failed tries by error or status code."""

    def __init__(self, ended: Counter[str]) -> None:
        super().__init__(limits=httpx.Limits(max_connections=None, max_keepalive_connections=None))
        self._ended = ended

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            answer = await super().handle_async_request(request)
        except httpx.TransportError as error:
            self._ended[type(error).__name__] += 1
            raise
        if answer.status_code != 200:
            self._ended[str(answer.status_code)] += 1
        return answer


@dataclass
class Storm:
    """A thousand concurrent operations; the clients repeat each until it is answered."""

    clients: list[AsyncClient]
    answers: dict[str, Any] = field(default_factory=dict)
    finished: int = 0
    progress: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def do(self, operation: Operation[Any]) -> Any:
        return await random.choice(self.clients).do(operation)

    async def carry_out(self, name: str, operation: Operation[Any]) -> None:
        self.answers[name] = await self.do(operation)
        async with self.progress:
            self.finished += 1
            self.progress.notify_all()

    async def has_finished(self, count: int) -> None:
        async with self.progress:
            await self.progress.wait_for(lambda: self.finished >= count)


async def parts_of_a_task(storm: Storm) -> dict[str, Any]:
    audio = await storm.do(operations.add_audio_file("base", tone(0.2)))
    group = await storm.do(operations.add_subscriber_group("base", [Person(full_name="I", phones=["1"])]))
    settings = await storm.do(operations.add_notification_settings(some_settings("base")))
    return {"settings": settings.id, "files": [audio.id], "groups": [group.id]}


def some_settings(name: str) -> Settings:
    return Settings(name=name, attempt_count=1, success_condition="PICKUP_PHONE")


async def some_tasks(storm: Storm, parts: dict[str, Any], count: int) -> list[UUID]:
    # The tasks start in 2099: the test shows that each was started once, not that it calls.
    wanted = (NewTask(name=f"startable-{no}", start_at=LATER, **parts) for no in range(count))
    return [(await storm.do(operations.add_task(task))).id for task in wanted]


def mixed(parts: dict[str, Any], tasks: list[UUID]) -> Iterator[tuple[str, Operation[Any]]]:
    for no in range(300):
        name = f"settings-{no}"
        yield name, operations.add_notification_settings(some_settings(name))
        people = [Person(full_name=f"P{no}", phones=[str(no), str(no + 1)])]
        yield f"group-{no}", operations.add_subscriber_group(f"group-{no}", people)
    for no in range(100):
        yield f"task-{no}", operations.add_task(NewTask(name=f"task-{no}", **parts))
        yield f"audio-{no}", operations.add_audio_file(f"audio-{no}", tone(0.05, 300 + no))
        yield f"read-{no}", operations.list_tasks(limit=5)
    for no, task in enumerate(tasks):
        yield f"start-{no}", operations.start_task(task)


async def kill_each(stack: LiveStack, storm: Storm) -> dict[str, int]:
    killed = {}
    for service, count in KILL_AFTER.items():
        await storm.has_finished(count)
        assert storm.finished < REQUESTS
        killed[service] = stack.kill(service)
    return killed


@pytest.mark.timeout(300)
async def test_each_key_leaves_exactly_one_resource(stack):
    ended: Counter[str] = Counter()
    async with AsyncExitStack() as opened:
        # Several clients, because a client's pool searches all its connections for each request.
        made = [
            AsyncClient(
                stack.url,
                "default",
                patience=Patience(total_s=DEADLINE_S, longest_s=1),
                transport=Counting(ended),
            )
            for _ in range(CLIENTS)
        ]
        storm = Storm([await opened.enter_async_context(client) for client in made])
        parts = await parts_of_a_task(storm)
        tasks = await some_tasks(storm, parts, 100)
        requests = list(mixed(parts, tasks))
        assert len(requests) == REQUESTS
        random.Random(4).shuffle(requests)
        began = time.perf_counter()
        async with asyncio.timeout(DEADLINE_S), asyncio.TaskGroup() as group:
            killer = group.create_task(kill_each(stack, storm))
            for name, operation in requests:
                group.create_task(storm.carry_out(name, operation))
        seconds = time.perf_counter() - began
        print(f"\n{REQUESTS} requests in {seconds:.1f} s; tries that failed: {dict(ended)}")  # noqa: T201
        assert ended.total() > 0
        for service, pid in killer.result().items():
            assert stack.pid(service) != pid
        await each_is_there_once(storm, dict(requests), tasks)


async def each_is_there_once(storm: Storm, requests: dict[str, Operation[Any]], tasks: list[UUID]) -> None:
    made: dict[str, list[UUID]] = {}
    for collection in (
        operations.list_notification_settings,
        operations.list_subscriber_groups,
        operations.list_audio_files,
        operations.list_tasks,
    ):
        async for item in storm.clients[0].each(lambda cursor, lists=collection: lists(cursor=cursor)):
            made.setdefault(item.name, []).append(item.id)
    runs: dict[UUID, list[UUID]] = {}
    async for run in storm.clients[0].each(lambda cursor: operations.list_task_execs(cursor=cursor)):
        runs.setdefault(run.task_id, []).append(run.id)
    changes = [name for name in requests if not name.startswith("read")]
    for name in changes:
        answer = storm.answers[name]
        if name.startswith("start"):
            assert runs[tasks[int(name.removeprefix("start-"))]] == [answer.task_exec_id], name
        else:
            assert made[name] == [answer.id], name
    for name in random.Random(5).sample(changes, 100):
        assert await storm.do(requests[name]) == storm.answers[name], name
