"""Resources, a campaign role in memory and a dial role without calls, for tests."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from cato_contracts.api.resources import (
    AudioFile,
    NotificationSettings,
    SettingsSpec,
    SubscriberGroup,
    SuccessCondition,
    Task,
    TaskSpec,
    TaskStart,
)
from cato_contracts.envelope import Envelope
from cato_contracts.messages.campaign_commands import (
    AddNotificationSettings,
    AddSubscriberGroup,
    AddTask,
    ListFormat,
    StartTask,
)
from cato_contracts.messages.jobs import DialJob
from cato_contracts.messages.runs import Prompt, RunSnapshot, SubscriberResult
from cato_contracts.objects import Bucket, ObjectRef
from cato_contracts.requests import Actor, Request
from cato_contracts.subjects import run_result
from cato_dialer.campaign.adapters.calendars import Calendars
from cato_dialer.campaign.handlers.deps import Deps
from cato_dialer.campaign.handlers.pace import LeasePace, Pace
from cato_dialer.campaign.ports import MemoryContactLimits, NoSightings, StationSightings
from cato_dialer.campaign.role import CampaignRole
from cato_jetstream import Conflict, Log
from cato_runtime.configuration.config import Config
from cato_runtime.configuration.station_config import StationConfig
from cato_runtime.objects import ObjectStore
from cato_runtime.requests import RequestTable, refusal
from services.dialer.tests.support.memory_campaign import (
    MemoryAudioLibrary,
    MemoryDialQueue,
    MemoryLeases,
    MemoryRunCalls,
    MemoryRunStates,
)
from services.dialer.tests.support.memory_exclusions import MemoryReadings, exclusion_reader
from tests.support.lists.direct_list_reader import DirectListReader
from tests.support.memory_log import MemoryLog
from tests.support.memory_objects import MemoryObjectStore

NOW = datetime(2025, 3, 3, 12, 0, tzinfo=UTC)
USER = Actor(user_id="user")
OTHER = Actor(user_id="other")
ADMIN = Actor(user_id="chief", admin=True)
CONFIG = Config(stations=(StationConfig(channels=5),))
QUICK = Pace(audit_s=0.2, drain_check_s=0.02, settle_s=0.1)
QUICK_LEASES = LeasePace(renew_s=0.2, try_again_s=0.1, recover_s=0.05)
PROMPT = b"\xd5" * 8000


class SteppedClock:
    """The machine's clock plus an offset."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


def settings_spec(**changes: Any) -> SettingsSpec:
    return SettingsSpec.model_validate(
        {"name": "s", "attempt_count": 2, "success_condition": SuccessCondition.PICKUP_PHONE} | changes
    )


def snapshot(count: int = 3, *, attempts: int = 2, **changes: Any) -> RunSnapshot:
    spec = settings_spec(attempt_count=attempts, attempt_delay_s=changes.pop("delay_s", 0))
    ref = ObjectRef(bucket=Bucket.LISTS, name="x", size=0)
    fields: dict[str, Any] = {
        "run_id": uuid4(),
        "task_id": uuid4(),
        "task_name": "t",
        "user_id": "user",
        "settings": NotificationSettings(id=uuid4(), user_id="user", **dict(spec)),
        "time_zone": "Europe/Moscow",
        "prompt": Prompt(audio=ref, duration_ms=1000),
        "subscribers": ref,
        "subscriber_count": count,
        "priority": 0,
        "start_at": None,
        "expires_at": None,
    }
    return RunSnapshot(**(fields | changes))


def people(count: int, start: int = 0) -> bytes:
    numbers = range(start, start + count)
    return json.dumps([{"fullName": f"Person {n}", "phones": [f"+7{n:010d}"]} for n in numbers]).encode()


class Client:
    """Sends requests to a table as the gateway does, without a broker."""

    def __init__(self, table: RequestTable, objects: ObjectStore, audio: MemoryAudioLibrary) -> None:
        self._table = table
        self.objects = objects
        self.audio = audio

    async def ask(self, request: Request[Any], command_id: str | None = None) -> Any:
        envelope: Envelope[Any] = Envelope[Any].wrap(
            request, event_id=command_id or str(uuid4()), occurred_at=datetime.now(UTC)
        )
        answer = await self._table.dispatch(envelope)
        if answer.error is not None:
            raise refusal(answer.error)
        return request.answer_type().validate_python(answer.value)

    async def upload(self, content: bytes) -> ObjectRef:
        return await self.objects.put(Bucket.UPLOADS, str(uuid4()), content)

    async def add_group(self, content: bytes, actor: Actor = USER, name: str = "g") -> SubscriberGroup:
        request = AddSubscriberGroup(
            actor=actor, name=name, format=ListFormat.JSON, upload=await self.upload(content)
        )
        group: SubscriberGroup = await self.ask(request)
        return group

    async def add_settings(self, actor: Actor = USER, **changes: Any) -> NotificationSettings:
        added: NotificationSettings = await self.ask(
            AddNotificationSettings(actor=actor, spec=settings_spec(**changes))
        )
        return added

    async def add_file(self, content: bytes = PROMPT, user: str = "user") -> AudioFile:
        ref = await self.objects.put(Bucket.PROMPTS, str(uuid4()), content)
        file = AudioFile(
            id=uuid4(),
            name="f",
            user_id=user,
            duration_ms=len(content) // 8,
            size_bytes=len(content),
            sha256=ref.sha256 or "",
            created_at=NOW,
            content=ref,
        )
        self.audio.known[file.id] = file
        return file

    async def add_task(self, lists: list[bytes], actor: Actor = USER, **changes: Any) -> Task:
        of_task = ("start_at", "expires_at", "priority", "caller_id", "purpose")
        task_changes = {name: changes.pop(name) for name in of_task if name in changes}
        groups = [(await self.add_group(content, actor)).id for content in lists]
        spec = TaskSpec(
            name="t",
            settings=(await self.add_settings(actor, **changes)).id,
            files=[(await self.add_file(user=actor.user_id)).id],
            groups=groups,
            **task_changes,
        )
        task: Task = await self.ask(AddTask(actor=actor, spec=spec))
        return task

    async def start(self, task: Task, command_id: str | None = None) -> UUID:
        started: TaskStart = await self.ask(StartTask(actor=USER, id=task.id), command_id)
        assert started.task_exec_id is not None
        return started.task_exec_id


class World:
    """A campaign role in memory, and its ports."""

    def __init__(self, config: Config = CONFIG) -> None:
        self.clock = SteppedClock()
        self.events = MemoryLog()
        self.runs = MemoryLog()
        self.objects = MemoryObjectStore()
        self.list_reader = DirectListReader()
        self.audio = MemoryAudioLibrary()
        self.queue = MemoryDialQueue()
        self.run_states = MemoryRunStates()
        self.calls = MemoryRunCalls(self.runs, self.clock)
        self.leases = MemoryLeases()
        self.readings = MemoryReadings()
        self.config = config
        self.stations: StationSightings = NoSightings()
        self.contact_limits = MemoryContactLimits()

    def deps(self) -> Deps:
        return Deps(
            events=self.events,
            run_log=self.runs,
            objects=self.objects,
            list_reader=self.list_reader,
            audio=self.audio,
            queue=self.queue,
            run_states=self.run_states,
            calls=self.calls,
            leases=self.leases,
            config=self.config,
            clock=self.clock,
            excluded=exclusion_reader(self.events, self.objects, self.clock),
            readings=self.readings.of("campaign"),
            stations=self.stations,
            contact_limits=self.contact_limits,
            calendars=Calendars(),
            pace=QUICK,
            lease_pace=QUICK_LEASES,
        )

    def role(self) -> CampaignRole:
        return CampaignRole(self.deps())

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Client]:
        role = self.role()
        await role.start()
        try:
            yield Client(role.requests, self.objects, self.audio)
        finally:
            await role.stop()


Outcome = Callable[[DialJob], bool]
"""Whether the subscriber of this job is notified."""


async def answer_from_memory(world: World, outcome: Outcome) -> None:
    """Answer every job like a dial role: publish the result, then remove the job."""
    while True:
        world.queue.arrived.clear()
        for key, job in list(world.queue.jobs.items()):
            await publish_result(world.runs, job, notified=outcome(job))
            world.queue.jobs.pop(key, None)
        await world.queue.arrived.wait()


async def publish_result(log: Log, job: DialJob, *, notified: bool) -> None:
    subject = run_result(job.run_id, job.subscriber.no)
    last = await log.last(subject, fresh=True)
    if last is not None and json.loads(last.data)["body"]["wave"] >= job.wave:
        return
    data, message_id = result_envelope(job, notified=notified)
    try:
        await log.append(subject, data, expected=last.sequence if last else 0, message_id=message_id)
    except Conflict:
        return


def result_envelope(job: DialJob, *, notified: bool) -> tuple[bytes, str]:
    no, wave = job.subscriber.no, job.wave
    result = SubscriberResult(
        run_id=job.run_id,
        no=no,
        wave=wave,
        notified=notified,
        reason="answered" if notified else "busy",
        call_id=uuid4(),
        number=job.subscriber.phones[0],
    )
    event_id = f"{job.run_id}:result:{no}:{wave}"
    envelope = Envelope[SubscriberResult].wrap(result, event_id=event_id, occurred_at=datetime.now(UTC))
    return envelope.encode(), event_id


async def life_of(log: Log, run_id: UUID) -> list[dict[str, Any]]:
    """Return the messages of the run's life, in order."""
    messages: list[dict[str, Any]] = []
    sequence = 0
    while (record := await log.next(f"run.{run_id}.life", sequence)) is not None:
        sequence = record.sequence
        messages += json.loads(record.data)["messages"]
    return messages


async def until(condition: Callable[[], Any], seconds: float = 10.0) -> None:
    """Wait until the condition, a function or an awaiting one, holds."""
    async with asyncio.timeout(seconds):
        while True:
            value = condition()
            if asyncio.iscoroutine(value):
                value = await value
            if value:
                return
            await asyncio.sleep(0.01)


async def ended(log: Log, run_id: UUID) -> bool:
    return any(message["type"] == "RunEnded" for message in await life_of(log, run_id))
