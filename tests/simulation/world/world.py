"""The whole system in one process and in virtual time, run through a generated history."""

import asyncio
import itertools
import json
import random
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from itertools import cycle
from typing import Any
from uuid import UUID, uuid5

from cato_contracts.api.resources import AudioFile, SettingsSpec, SuccessCondition, TaskSpec
from cato_contracts.envelope import Answer
from cato_contracts.errors import BrokerError, ErrorCode
from cato_contracts.messages.campaign_commands import (
    AddNotificationSettings,
    AddSubscriberGroup,
    AddTask,
    ListFormat,
    ResumeRun,
    StartTask,
)
from cato_contracts.objects import Bucket
from cato_contracts.requests import Actor, Request
from cato_dialer.campaign.handlers.pace import LeasePace, Pace
from cato_dialer.dial.adapters.configured_stations import stations_of
from cato_dialer.dial.ports.contacts import Contacts, NoContacts
from cato_jetstream import Record
from cato_runtime.configuration.config import Config
from cato_runtime.configuration.station_config import StationConfig
from services.dialer.tests.support.memory_campaign import MemoryAudioLibrary, MemoryRunCalls
from services.dialer.tests.support.memory_dial import MemoryChannelBoard, MemoryJobQueue
from services.dialer.tests.support.memory_exclusions import MemoryReadings
from services.dialer.tests.support.memory_pacing import MemoryPacing
from tests.simulation.world.disturbances import arrange_disturbances
from tests.simulation.world.exchange import Behaviour, Exchange, number_of
from tests.simulation.world.faults import ProcessLife
from tests.simulation.world.history import History
from tests.simulation.world.judgement.exclusions import ExclusionWitness
from tests.simulation.world.judgement.judge import Judge
from tests.simulation.world.processes import CampaignProcess, DialProcess
from tests.simulation.world.shared.household_witness import relatives
from tests.simulation.world.short_forms import lines_of
from tests.simulation.world.surroundings import (
    ExpiringLeases,
    JobsForCampaign,
    StatesForCampaign,
    WitnessedLog,
)
from tests.support.memory_objects import MemoryObjectStore
from tests.support.virtual_time import LoopClock

SPACE = UUID("5f0c4d52-2f0e-5d53-8a83-0a3f1f0b7a10")
USER = Actor(user_id="user")
LONGEST_S = 3_600.0
AFTERMATH_S = 16.0
_LEASE_LASTS_RENEWALS = 3


class World:
    """The log, the queue, the exchange, and the simulated processes that use them.

    `violations` lists the broken promises as text; they are not raised, because a role could catch them.
    """

    judge_type: type[Judge] = Judge

    def __init__(
        self,
        history: History,
        start: datetime = datetime(2026, 3, 2, 9, 0, tzinfo=UTC),
        choose: Callable[[str, UUID, int], Behaviour] | None = None,
        *,
        pace: Pace | None = None,
        lease_pace: LeasePace | None = None,
        longest_s: float = LONGEST_S,
    ) -> None:
        self.history = history
        self.violations: list[str] = []
        self._longest_s = longest_s
        self.chance = random.Random(history.seed)
        self.clock = LoopClock(start)
        self.pace = pace or Pace()
        self.lease_pace = lease_pace or LeasePace()
        configured = tuple(
            StationConfig(
                id=uuid5(SPACE, f"station {place}"),
                name=f"station {place}",
                channels=history.channels,
                min_call_interval_ms=history.interval_ms,
                priority=place,
                max_setup_delay_s=4,
                max_answer_delay_s=5,
            )
            for place in range(history.stations)
        )
        self.stations = stations_of(configured)
        self.config = Config.model_validate(
            {"stations": configured, "license": {"max_channels": history.licence}}
        )
        self.events = WitnessedLog()
        self.runs = WitnessedLog()
        self.objects = MemoryObjectStore()
        self.audio = MemoryAudioLibrary()
        self.queue = MemoryJobQueue(self.clock)
        self.board = MemoryChannelBoard(self.stations, history.licence)
        self.pacing = MemoryPacing(self.clock, history.pacing)
        self.campaign_queue = JobsForCampaign(self.queue)
        self.campaign_run_states = StatesForCampaign(self.queue)
        self.calls = MemoryRunCalls(self.runs, self.clock)
        self.contacts: Contacts = NoContacts()
        self.leases = ExpiringLeases(_LEASE_LASTS_RENEWALS * self.lease_pace.renew_s)
        self.readings = MemoryReadings()
        self.exclusions = ExclusionWitness(self, USER)
        self.judge = self.judge_type(self)
        judges = (self.violated, self.judge.forbidden, history.pacing, history.opt_out_key)
        self.exchange = Exchange(self.clock, choose or self._choose, history.prompt_ms, *judges)
        self.exchange.late_s = self._late_s
        self.exchange.witness = lambda order: self.exclusions.invited(order.number)
        self.run_id: UUID | None = None
        self.runs.witnesses.append(self.judge.take)
        self.events.witnesses.append(self._look_for_the_end)
        self.queue.listeners.append(self.judge.note_state)
        self._over = asyncio.Event()
        self.dials: list[DialProcess] = []
        self.incarnations: dict[str, int] = {}
        self.campaigns: list[CampaignProcess] = []
        self._crashes = {
            DialProcess: list(history.dial_crashes),
            CampaignProcess: list(history.campaign_crashes),
        }
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closed = False
        self._told: list[tuple[float, str, str]] = []
        self.died = 0

    def free_name(self) -> str:
        """Return the first name of a dialer under which none runs."""
        taken = {process.name for process in self.dials}
        return next(name for no in itertools.count() if (name := f"dialer-{no}") not in taken)

    def tell(self, who: str, what: str) -> None:
        self._told.append((asyncio.get_running_loop().time(), who, what))

    def told(self) -> list[str]:
        """Return the events, one per line, to explain a failure."""
        lines = [f"{at:9.3f} {who}: {what}" for at, who, what in self._told]
        return lines + lines_of(self.judge.readings(), self.clock.start)

    def violated(self, what: str) -> None:
        self.violations.append(f"{asyncio.get_running_loop().time():.3f} s: {what}")

    async def live(self) -> None:
        """Run the history from the start of a task until some time after the end of its run."""
        self._begin()
        if await self._start():
            arrange_disturbances(self)
            self._spawn(self._control())
            self._spawn(self.exclusions.run())
            try:
                async with asyncio.timeout(self._longest_s):
                    await self._over.wait()
            except TimeoutError:
                self.violated("the run does not end")
            await asyncio.sleep(AFTERMATH_S)
        await self._close()
        self.judge.judge()

    def _begin(self) -> None:
        asyncio.get_running_loop().set_exception_handler(
            lambda _, context: self.violated(f"unhandled exception: {context}")
        )
        for _ in range(self.history.campaign_replicas):
            self._start_process(CampaignProcess)
        for _ in range(self.history.dial_replicas):
            self._start_process(DialProcess)

    async def ask(self, request: Request[Any], command_id: str) -> Answer:
        """Repeat the request until it is answered, like a client whose connection breaks."""
        while True:
            for process in [process for process in self.campaigns if not process.life.dead]:
                task = self._spawn(process.dispatch(request, command_id))
                await asyncio.wait((task,))
                answer = None if task.cancelled() else task.result()
                if answer is not None and (answer.ok or answer.error.code is not ErrorCode.UNAVAILABLE):
                    return answer
            await asyncio.sleep(0.3)

    async def _start(self) -> bool:
        """Start a task; return False if the task had expired by then."""
        task = await self._made(AddTask(actor=USER, spec=await self._task_spec()), "add-task")
        answer = await self.ask(StartTask(actor=USER, id=task["id"]), "start")
        if answer.error is not None and self.history.expires_in_s is not None:
            assert "expired" in answer.error.message
            return False
        assert answer.ok, answer
        assert isinstance(answer.value, dict)
        run_id = UUID(str(answer.value["task_exec_id"]))
        assert self.run_id in {None, run_id}
        self.run_id = run_id
        return True

    async def _task_spec(self) -> TaskSpec:
        people: list[dict[str, Any]] = [
            {"fullName": f"N{no}", "phones": [number_of(no, phone) for phone in range(count)]}
            for no, count in enumerate(self.history.phones)
        ]
        people += relatives(self.history, people)
        for person, zone in zip(people, cycle(self.history.zones), strict=False):
            person.update({"timeZone": zone} if zone else {})
        upload = await self.objects.put(Bucket.UPLOADS, "list", json.dumps(people).encode())
        group = await self._made(
            AddSubscriberGroup(actor=USER, name="g", format=ListFormat.JSON, upload=upload), "add-group"
        )
        message = await self._prompt()
        spec = {
            "name": "s",
            "attempt_count": 2,
            "success_condition": SuccessCondition.PICKUP_AND_LISTEN_FULL,
            "max_answer_delay_s": 3,
            **self.history.settings_with(message),
        }
        settings = await self._made(
            AddNotificationSettings(actor=USER, spec=SettingsSpec.model_validate(spec)), "add-settings"
        )
        return TaskSpec(
            name="t",
            settings=settings["id"],
            files=[message],
            groups=[group["id"]],
            start_at=self._in(self.history.starts_in_s),
            expires_at=self._in(self.history.expires_in_s),
            **self.history.task,
        )

    async def _made(self, request: Request[Any], command_id: str) -> dict[str, Any]:
        answer = await self.ask(request, command_id)
        assert answer.ok, answer
        assert isinstance(answer.value, dict)
        return answer.value

    async def _prompt(self) -> UUID:
        content = b"\xd5" * (self.history.prompt_ms * 8)
        ref = await self.objects.put(Bucket.PROMPTS, "prompt", content)
        file = AudioFile(
            id=uuid5(SPACE, "prompt"),
            name="f",
            user_id=USER.user_id,
            duration_ms=self.history.prompt_ms,
            size_bytes=len(content),
            sha256=ref.sha256 or "",
            created_at=self.clock.now(),
            content=ref,
        )
        self.audio.known[file.id] = file
        return file.id

    def _in(self, seconds: float | None) -> datetime | None:
        return None if seconds is None else self.clock.now() + timedelta(seconds=seconds)

    async def _control(self) -> None:
        assert self.run_id is not None
        began = asyncio.get_running_loop().time()
        for place, control in enumerate(sorted(self.history.controls, key=lambda control: control.at)):
            await asyncio.sleep(max(0.0, began + control.at - asyncio.get_running_loop().time()))
            more = {} if control.action is ResumeRun else {"hangup": control.hangup}
            request = control.action.model_validate({"actor": USER, "id": self.run_id, **more})
            answer = await self.ask(request, f"control-{place}")
            if answer.error is not None and answer.error.code is not ErrorCode.CONFLICT:
                self.violated(f"{control} is answered with {answer.error}")

    def _start_process(self, kind: type[DialProcess] | type[CampaignProcess]) -> None:
        if self._closed:
            return
        crashes = self._crashes[kind]
        life = ProcessLife(
            self.history.faults,
            self.chance,
            crashes.pop(0) if crashes else None,
            on_crash=lambda: self._on_crash(process),
        )
        process: DialProcess | CampaignProcess = kind(self, life)
        self._of_kind(process).append(process)
        self._spawn(self._run(process))

    def _of_kind(self, process: DialProcess | CampaignProcess) -> list[Any]:
        return self.dials if isinstance(process, DialProcess) else self.campaigns

    async def _run(self, process: DialProcess | CampaignProcess) -> None:
        try:
            await process.run()
        except BrokerError:
            # A service that cannot start exits and is restarted.
            process.life.die()

    def _on_crash(self, process: DialProcess | CampaignProcess) -> None:
        self.died += 1
        self.tell(type(process).__name__, "dies")
        self._of_kind(process).remove(process)
        process.abandon()
        self._spawn(process.stop())
        asyncio.get_running_loop().call_later(
            self.history.restart_after_s, self._start_process, type(process)
        )

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._check_task)
        return task

    def _check_task(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self.violated(f"{task.get_coro()} failed: {error!r}")

    async def _close(self) -> None:
        self._closed = True
        for process in [*self.dials, *self.campaigns]:
            process.life.spare()
            await process.stop()
        for task in list(self._tasks):
            task.cancel()

    def _look_for_the_end(self, record: Record) -> None:
        if self.run_id and self.events.knows(f"{record.subject}:run-ended:{self.run_id}"):
            self._over.set()

    def _late_s(self) -> float:
        late = self.history.sends_late_s
        return late[0] if len(late) == 1 else self.chance.choice(late)

    def _choose(self, number: str, station: UUID, nth: int) -> Behaviour:
        behaviours = self.history.behaviours
        place = int(number) * 7 + next(s.priority for s in self.stations if s.id == station) * 3 + nth * 5
        return behaviours[(place // 2) % len(behaviours)]
