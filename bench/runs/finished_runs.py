"""Finished runs in the logs of a system that is not running, as its services would have written them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from nats.aio.client import Client

from cato_contracts.api.resources import SettingsSpec, SuccessCondition, TaskSpec
from cato_contracts.messages.runs import RunEnding
from cato_contracts.subjects import EVENTS, RUN_DISPATCH_STATES, RUNS
from cato_dialer.campaign.domain.catalog.notification_settings import NotificationSettings
from cato_dialer.campaign.domain.catalog.task import Task
from cato_dialer.campaign.domain.run.run import Run
from cato_dialer.campaign.handlers.resources import Resources, run_repository
from cato_jetstream import Bucket, JetStreamLog, Outgoing, Repository, publish_all
from cato_runtime.broker import connect, ensure_topology, make_broker
from cato_runtime.objects import NatsObjectStore
from cato_runtime.process.embedded_nats import EmbeddedNats
from cato_runtime.requests import RequestContext
from tests.support.synthetic_runs import synthetic_run

TASKS = 10
SUBSCRIBERS = 10
AGE = timedelta(days=60)


class PastClock:
    """A clock that is two months behind."""

    def now(self) -> datetime:
        return datetime.now(UTC) - AGE


async def write_finished_runs(directory: Path, count: int) -> None:
    """Write runs of ten tasks to the broker in this directory; the broker runs only meanwhile."""
    async with EmbeddedNats(directory) as server:
        broker = make_broker(server.url, "finished-runs")
        client = await connect(broker)
        await ensure_topology(client.jetstream())
        writer = _Writer(client)
        await writer.add_tasks()
        for number in range(count):
            await writer.run(number)
        await broker.stop()


class _Writer:
    def __init__(self, client: Client) -> None:
        self._client = client
        self._js = client.jetstream(timeout=10)
        self._clock = PastClock()
        events = JetStreamLog(client, EVENTS.name)
        self._settings = Resources(events, NotificationSettings, self._clock)
        self._tasks = Resources(events, Task, self._clock)
        self._runs: Repository[Run] = run_repository(JetStreamLog(client, RUNS.name), self._clock)
        self._objects = NatsObjectStore(self._js)
        self._states = Bucket(self._js, RUN_DISPATCH_STATES.name)
        self._added: list[UUID] = []

    async def add_tasks(self) -> None:
        spec = SettingsSpec(
            name="all", attempt_count=1, success_condition=SuccessCondition.PICKUP_AND_LISTEN_FULL
        )
        now = self._clock.now()
        for number in range(TASKS):
            settings = NotificationSettings.add(uuid4(), user_id="user", spec=spec, timestamp=now)
            await self._settings.add(settings, RequestContext(f"settings-{number}", "bench", now))
            named = TaskSpec(name=f"task {number}", settings=settings.id, files=[uuid4()], groups=[uuid4()])
            task = Task.add(uuid4(), user_id="user", spec=named, timestamp=now)
            await self._tasks.add(task, RequestContext(f"task-{number}", "bench", now))
            self._added.append(task.id)

    async def run(self, number: int) -> None:
        """Write one run: its life, its calls and results, and its start and end in the log of its task."""
        now = self._clock.now()
        task_id = self._added[number % TASKS]
        made = synthetic_run(1_000_000 + number, subscribers=SUBSCRIBERS, waves=1, begin=now)
        ref = made.snapshot.subscribers
        await self._objects.put(ref.bucket, ref.name, made.list_content)
        snapshot = made.snapshot.model_copy(update={"task_id": task_id})
        await self._tasks.execute(
            task_id,
            f"start-{number}",
            lambda task: task.start(snapshot, command_id=f"{number}", timestamp=now),
        )
        new = Run.begin(snapshot, timestamp=now)
        run = await self._runs.create(new, command_id="begin", messages=new.unpublished())
        await self._decide(run.id, "wave", lambda run: run.begin_wave(1, SUBSCRIBERS, timestamp=now))
        calls = [sent for sent in made.messages if not sent.subject.endswith(".life")]
        await publish_all(self._client, [Outgoing(sent.subject, sent.data) for sent in calls])
        await self._decide(run.id, "wave-end", lambda run: run.close_wave(1, 5, 5, timestamp=now))
        await self._decide(run.id, "end", lambda run: run.end(RunEnding.FINISHED, timestamp=now))
        await self._states.remove(str(run.id))
        await self._tasks.execute(task_id, f"end-{number}", lambda task: task.end_run(run.id, timestamp=now))

    async def _decide(self, run_id: UUID, command: str, decision: Callable[[Run], None]) -> None:
        def decide(run: Run) -> list[dict[str, Any]]:
            decision(run)
            return run.unpublished()

        await self._runs.execute(run_id, command, decide)
