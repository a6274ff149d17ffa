"""A world for the dial role in which time is virtual and lines follow scripts."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID, uuid5

from cato_contracts.api.resources import NotificationSettings, SuccessCondition
from cato_contracts.messages.calls import FINAL_KINDS, CallEvent, CallEventKind
from cato_contracts.messages.jobs import DialJob, RunDispatchState, RunMode
from cato_contracts.messages.runs import Prompt, RunSubscriber, SubscriberResult
from cato_contracts.objects import Bucket, ObjectRef
from cato_dialer.dial.domain.station import Station
from cato_dialer.dial.handlers.deps import Deps
from cato_dialer.dial.ports.contacts import Contacts, NoContacts
from cato_dialer.dial.ports.dial import JournalEntry, SubscriberLog
from cato_dialer.dial.ports.pacing import NoPacing, Pacing
from cato_dialer.dial.ports.stations import StationWatch, UnwatchedStations
from cato_dialer.dial.ports.trunk import CallOrder
from cato_dialer.dial.role import DialRole
from services.dialer.tests.support.memory_dial import (
    MemoryCallJournal,
    MemoryChannelBoard,
    MemoryChannelSource,
    MemoryIncarnations,
    MemoryJobQueue,
    MemoryJobSource,
    MemoryPromptCache,
)
from services.dialer.tests.support.stations import make_station
from services.dialer.tests.support.trunk.scripted_line import START, Script, ScriptedLine, begin_of
from tests.support.virtual_time import LoopClock, run_virtually

SPACE = UUID("11111111-2222-3333-4444-555555555555")
RUN = uuid5(SPACE, "run")


Choose = Callable[[str, UUID, int], Script]
"""The script for a number, a station and the how manyth call to that number this is (from 0)."""


@dataclass
class World:
    """The state that several replicas share, and the calls that an exchange would see."""

    choose: Choose
    stations: tuple[Station, ...]
    condition: SuccessCondition = SuccessCondition.PICKUP_AND_LISTEN_FULL
    prompt_ms: int = 5000
    listen_s: int = 2
    max_channels: int = 100
    reserved: int = 0
    settings: dict[str, Any] = field(default_factory=dict)
    journal: MemoryCallJournal = field(default_factory=MemoryCallJournal)
    clock: LoopClock = field(default_factory=lambda: LoopClock(START))
    watch: StationWatch = field(default_factory=UnwatchedStations)
    await_stations: bool = False
    pacing: Pacing = field(default_factory=NoPacing)
    contacts: Contacts = field(default_factory=NoContacts)
    calls_to: dict[str, int] = field(default_factory=dict)
    up: dict[str, int] = field(default_factory=dict)
    most_up: dict[str, int] = field(default_factory=dict)
    starts: list[tuple[UUID, float]] = field(default_factory=list)
    incarnations: dict[str, int] = field(default_factory=dict)
    after_append: Callable[["Replica", int], None] = lambda _replica, _count: None

    def __post_init__(self) -> None:
        self.board = MemoryChannelBoard(self.stations, self.max_channels, self.reserved, urgent_from=10)
        self.queue = MemoryJobQueue(self.clock)
        self.queue.set_state(RunDispatchState(run_id=RUN, priority=0, mode=RunMode.CALLING))

    def job(self, no: int, phones: list[str], wave: int = 1, **changes: Any) -> DialJob:
        fields: dict[str, Any] = {
            "id": uuid5(SPACE, "settings"),
            "user_id": "user",
            "name": "all",
            "attempt_count": 3,
            "success_condition": self.condition,
            "success_playback_duration_s": self.listen_s,
            "confirm_code": "12",
            **self.settings,
        }
        job: dict[str, Any] = {
            "run_id": RUN,
            "wave": wave,
            "subscriber": RunSubscriber(
                no=no, id=uuid5(SPACE, f"subscriber {no}"), full_name=f"N{no}", phones=phones
            ),
            "settings": NotificationSettings(**fields),
            "time_zone": "Europe/Moscow",
            "prompt": Prompt(
                audio=ObjectRef(bucket=Bucket.PROMPTS, name="p", size=self.prompt_ms * 8),
                duration_ms=self.prompt_ms,
            ),
            "priority": 0,
            "expires_at": None,
            **changes,
        }
        return DialJob(**job)

    def replica(self, name: str | None = None) -> "Replica":
        """Return a process; without a name, it gets one of its own."""
        return Replica(self, name or f"dialer-{len(self.incarnations)}")

    def place(self, order: CallOrder, subscriber: str) -> tuple[Script, Callable[[], None]]:
        self.starts.append((order.station.id, begin_of(order)))
        nth = self.calls_to.get(order.number, 0)
        self.calls_to[order.number] = nth + 1
        self.up[subscriber] = self.up.get(subscriber, 0) + 1
        self.most_up[subscriber] = max(self.most_up.get(subscriber, 0), self.up[subscriber])
        counted = [True]

        def gone() -> None:
            if counted.pop():
                counted.append(False)
                self.up[subscriber] -= 1
            else:
                counted.append(False)

        return self.choose(order.number, order.station.id, nth), gone

    def events(self, no: int | None = None) -> list[CallEvent]:
        bodies = [entry.body for entry in self.journal.entries]
        return [body for body in bodies if isinstance(body, CallEvent) and no in (None, body.no)]

    def results(self, no: int | None = None) -> list[SubscriberResult]:
        bodies = [entry.body for entry in self.journal.entries]
        return [body for body in bodies if isinstance(body, SubscriberResult) and no in (None, body.no)]

    def kinds(self, no: int = 0) -> list[CallEventKind]:
        return [event.kind for event in self.events(no)]

    async def until_empty(self, limit_s: float = 100_000) -> None:
        """Wait until no job is left."""
        changed = asyncio.Event()
        self.queue.listeners.append(changed.set)
        async with asyncio.timeout(limit_s):
            while self.queue.jobs:
                await changed.wait()
                changed.clear()
        self.queue.listeners.remove(changed.set)

    def assert_consistent(self) -> None:
        """No two calls at once, nothing after an end, nothing after success, one result for each wave."""
        assert all(most <= 1 for most in self.most_up.values()), self.most_up
        open_calls: dict[int, UUID] = {}
        ended: set[UUID] = set()
        notified: set[int] = set()
        decided: set[tuple[int, int]] = set()
        ends_by: dict[UUID, datetime | None] = {}
        for entry in self.journal.entries:
            body = entry.body
            if isinstance(body, SubscriberResult):
                assert (body.no, body.wave) not in decided
                assert body.no not in notified
                decided.add((body.no, body.wave))
                if body.notified:
                    notified.add(body.no)
                continue
            if not isinstance(body, CallEvent):
                continue
            assert body.call_id not in ended
            if body.kind is CallEventKind.ENDED:
                latest = ends_by[body.call_id]
                assert latest is not None
                assert entry.occurred_at <= latest
            if body.kind is CallEventKind.STARTED:
                ends_by[body.call_id] = body.ends_by
                assert body.no not in open_calls
                assert body.no not in notified
                assert (body.no, body.wave) not in decided
                open_calls[body.no] = body.call_id
            assert open_calls[body.no] == body.call_id
            if body.kind in FINAL_KINDS:
                del open_calls[body.no]
                ended.add(body.call_id)
        assert not open_calls


class HasLines(Protocol):
    """A process whose lines are released when it dies."""

    world: World
    dead: bool
    lines: list[Callable[[], None]]


class _ReplicaJournal:
    """The shared log as one replica reaches it: not at all once it is dead."""

    def __init__(self, replica: "Replica") -> None:
        self._replica = replica
        self._shared = replica.world.journal

    async def read(self, run_id: UUID, no: int) -> SubscriberLog:
        await self._alive()
        return await self._shared.read(run_id, no)

    async def append(self, entry: JournalEntry, after: int) -> int:
        await self._alive()
        head = await self._shared.append(entry, after)
        self._replica.world.after_append(self._replica, len(self._shared.entries))
        await self._alive()
        return head

    async def fence(self, run_id: UUID, no: int, after: int) -> int:
        await self._alive()
        return await self._shared.fence(run_id, no, after)

    async def _alive(self) -> None:
        await asyncio.sleep(0.001)
        if self._replica.dead:
            await asyncio.Event().wait()


class ReplicaTrunk:
    """Carries `capacity` calls at once; `fail` ends its worker, `recover` starts another."""

    def __init__(self, replica: "HasLines") -> None:
        self.capacity = 50
        self.media_lag_ms = 0
        self.loop_lag_ms = 0
        self._replica = replica
        self._working = asyncio.Event()
        self._working.set()
        self.placed: list[ScriptedLine] = []

    async def open(self) -> None:
        return None

    @property
    def has_free_line(self) -> bool:
        return self._working.is_set()

    async def line_free(self) -> None:
        await self._working.wait()

    def fail(self) -> None:
        self.capacity = 0
        self._working.clear()
        for line in self.placed:
            line.fail()

    def recover(self) -> None:
        self.capacity = 50
        self._working.set()

    def place(self, order: CallOrder) -> ScriptedLine:
        assert not self._replica.dead
        world = self._replica.world
        if not self.capacity:
            return ScriptedLine(order, Script(not_sent=True), world.prompt_ms, lambda: None)
        script, gone = world.place(order, order.number.split("/")[0])
        self._replica.lines.append(gone)
        line = ScriptedLine(order, script, world.prompt_ms, gone)
        self.placed.append(line)
        return line

    async def close(self) -> None:
        return None


class Replica:
    """A process with the dial role."""

    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.name = name
        self.dead = False
        incarnations = MemoryIncarnations(world.incarnations, name)
        self.lines: list[Callable[[], None]] = []
        self.source = MemoryJobSource(world.queue, incarnations.own)
        self.deps = deps = Deps(
            stations=world.stations,
            trunk=ReplicaTrunk(self),
            journal=_ReplicaJournal(self),
            channels=MemoryChannelSource(world.board, world.clock),
            prompts=MemoryPromptCache(),
            incarnations=incarnations,
            clock=world.clock,
            run_states=self.source.run_states,
            watch=world.watch,
            await_stations=world.await_stations,
            pacing=world.pacing,
            contacts=world.contacts,
        )
        self.role = DialRole(deps, self.source)

    async def start(self) -> "Replica":
        await self.role.start()
        return self

    def die(self) -> None:
        """Die at once: lines are released, nothing more is written; others get the jobs 10 s later."""
        if self.dead:
            return
        self.dead = True
        for gone in self.lines:
            gone()
        loop = asyncio.get_running_loop()
        self.buried = loop.create_task(self.role.stop())
        loop.call_later(10.0, self.world.queue.take_away, self.source)


@dataclass(frozen=True)
class Kit:
    """What tests take from here."""

    world: type[World] = World
    script: type[Script] = Script
    run: Callable[[Coroutine[Any, Any, Any]], Any] = run_virtually
    run_id: UUID = RUN
    start: datetime = START

    def station(self, name: str = "main", **fields: Any) -> Station:
        return make_station(id=uuid5(SPACE, name), name=name, **fields)
