"""The ports of the dial role in memory."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from cato_contracts.messages.calls import CallEvent, CallOwner
from cato_contracts.messages.jobs import DialJob, RunDispatchState
from cato_contracts.messages.runs import Prompt, SubscriberResult
from cato_contracts.subjects import dial_job
from cato_dialer.dial.domain.capacity.licence import Licence
from cato_dialer.dial.domain.capacity.start_times import next_start
from cato_dialer.dial.domain.permission.pacing import CallBound
from cato_dialer.dial.domain.station import Station
from cato_dialer.dial.domain.subscriber.takeover import OwnerAnswer
from cato_dialer.dial.ports.dial import (
    Channel,
    FencedError,
    JobDelivery,
    JournalEntry,
    StartSlot,
    SubscriberLog,
)
from cato_runtime.clock import Clock

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class FenceBody:
    run_id: UUID
    no: int


@dataclass(frozen=True)
class Fence:
    """A message that only moves the head on."""

    body: FenceBody


class MemoryCallJournal:
    """A log in lists; `entries` has everything in one order."""

    def __init__(self) -> None:
        self.entries: list[JournalEntry | Fence] = []

    async def read(self, run_id: UUID, no: int) -> SubscriberLog:
        events: list[CallEvent] = []
        result: SubscriberResult | None = None
        head = 0
        for sequence, entry in enumerate(self.entries, start=1):
            body = entry.body
            if body.no != no or body.run_id != run_id:
                continue
            if isinstance(body, CallEvent):
                events.append(body)
            elif isinstance(body, SubscriberResult):
                result = body
            head = sequence
        return SubscriberLog(tuple(events), result, head)

    async def append(self, entry: JournalEntry, after: int) -> int:
        return self._append(entry, after)

    async def fence(self, run_id: UUID, no: int, after: int) -> int:
        return self._append(Fence(FenceBody(run_id, no)), after)

    def _append(self, entry: "JournalEntry | Fence", after: int) -> int:
        head = 0
        for sequence, known in enumerate(self.entries, start=1):
            if (known.body.run_id, known.body.no) == (entry.body.run_id, entry.body.no):
                head = sequence
        if head != after:
            if head and self.entries[head - 1] is entry:
                return head
            raise FencedError(f"subscriber {entry.body.no} has another writer")
        self.entries.append(entry)
        return len(self.entries)


class MemoryIncarnations:
    """One start of a process; `known` is shared, and has the newest incarnation of each name."""

    def __init__(self, known: dict[str, int], instance: str) -> None:
        self._known = known
        known[instance] = known.get(instance, 0) + 1
        self.own = CallOwner(instance=instance, incarnation=known[instance])

    async def newest(self, instance: str) -> int:
        return self._known.get(instance, 0)


@dataclass(slots=True)
class _Queued:
    job: DialJob
    deliveries: int = 0
    holder: "MemoryJobSource | None" = None
    not_before: datetime = _LONG_AGO


@dataclass(slots=True)
class MemoryJobQueue:
    """The state that several sources share: a queue of jobs, the states of runs."""

    clock: Clock
    jobs: dict[str, _Queued] = field(default_factory=dict)
    run_states: dict[UUID, RunDispatchState] = field(default_factory=dict)
    listeners: list[Callable[[], None]] = field(default_factory=list)
    on_call: dict["MemoryJobSource", Callable[[str], bool]] = field(default_factory=dict)

    def put(self, job: DialJob) -> None:
        key = dial_job(job.run_id, job.wave, job.subscriber.no)
        self.jobs.setdefault(key, _Queued(job))
        self.announce()

    def set_state(self, state: RunDispatchState) -> None:
        self.run_states[state.run_id] = state
        self.announce()

    def drop_state(self, run_id: UUID) -> None:
        self.run_states.pop(run_id, None)
        self.announce()

    def take_away(self, source: "MemoryJobSource") -> None:
        """Give the jobs of this source to others, as after lost heartbeats."""
        for queued in self.jobs.values():
            if queued.holder is source:
                queued.holder = None
                queued.not_before = self.clock.now()
        self.announce()

    def announce(self) -> None:
        for listener in self.listeners:
            listener()


class _MemoryJobDelivery:
    def __init__(self, source: "MemoryJobSource", key: str, queued: _Queued) -> None:
        self._source = source
        self._key = key
        self._queued = queued
        self.traceparent = None
        self.beats = 0

    @property
    def key(self) -> str:
        return self._key

    @property
    def job(self) -> DialJob:
        return self._queued.job

    @property
    def redelivered(self) -> bool:
        return self._queued.deliveries > 1

    async def done(self) -> None:
        self._source.queue.jobs.pop(self._key, None)
        self._source.queue.announce()

    async def give_back(self, delay_s: float) -> None:
        queue = self._source.queue
        self._queued.holder = None
        self._queued.not_before = queue.clock.now() + timedelta(seconds=delay_s)
        asyncio.get_running_loop().call_later(delay_s, queue.announce)

    async def extend(self) -> None:
        self.beats += 1

    def leave(self) -> None:
        """The queue delivers it again, as it would without this."""


class MemoryJobSource:
    """One replica's end of the queue."""

    def __init__(self, queue: MemoryJobQueue, own: CallOwner) -> None:
        self.queue = queue
        self.own = own
        self._on_change: Callable[[], None] | None = None

    async def open(self, on_change: Callable[[], None], has_call: Callable[[str], bool]) -> None:
        self._on_change = on_change
        self.queue.listeners.append(on_change)
        self.queue.on_call[self] = has_call

    async def ask_owner(self, key: str, owner: CallOwner | None) -> OwnerAnswer:
        others = {source: has_call for source, has_call in self.queue.on_call.items() if source is not self}
        if any(has_call(key) for has_call in others.values()):
            return OwnerAnswer.UP
        known = {self.own, *(source.own for source in others)}
        return OwnerAnswer.OVER if owner in known else OwnerAnswer.SILENCE

    def run_states(self) -> Mapping[UUID, RunDispatchState]:
        return self.queue.run_states

    async def take(self, run_id: UUID, limit: int) -> Sequence[JobDelivery]:
        now = self.queue.clock.now()
        holds: list[JobDelivery] = []
        # The order of JetStream: redeliveries first, and among these the one that has been due for longest.
        jobs = sorted(self.queue.jobs.items(), key=lambda item: (not item[1].deliveries, item[1].not_before))
        for key, queued in jobs:
            if len(holds) == limit:
                break
            if queued.job.run_id == run_id and queued.holder is None and queued.not_before <= now:
                queued.holder = self
                queued.deliveries += 1
                holds.append(_MemoryJobDelivery(self, key, queued))
        return holds

    async def return_unused(self) -> None:
        return None

    async def close(self) -> None:
        if self._on_change in self.queue.listeners:
            self.queue.listeners.remove(self._on_change)
        self.queue.on_call.pop(self, None)


class _MemoryChannel:
    def __init__(
        self, board: "MemoryChannelBoard", station_id: UUID, *, ordinary: bool, bound: CallBound | None
    ) -> None:
        self._board = board
        self._bound = bound
        self._station_id = station_id
        self._ordinary = ordinary
        self._held = True

    @property
    def station_id(self) -> UUID:
        return self._station_id

    async def keep_until(self, moment: datetime) -> bool:
        return self._held

    def release(self) -> None:
        if self._held:
            self._held = False
            self._board.used[self._station_id] -= 1
            self._board.ordinary -= self._ordinary
            if self._bound is not None:
                self._board.paced[self._bound.name] -= 1
            self._board.announce()


class MemoryChannelBoard:
    """The channels that several replicas share."""

    def __init__(
        self, stations: Sequence[Station], max_channels: int, reserved: int = 0, urgent_from: int = 1
    ) -> None:
        self.licence = Licence(max_channels, reserved, urgent_from)
        self.ordinary = 0
        self.stations = {station.id: station for station in stations}
        self.max_channels = max_channels
        self.used = dict.fromkeys(self.stations, 0)
        self.paced: Counter[str] = Counter()
        self.paced_wanted: Counter[str] = Counter()
        self.next_free: dict[UUID, int] = {}
        self.freed = asyncio.Event()

    def announce(self) -> None:
        self.freed.set()
        self.freed = asyncio.Event()


class MemoryChannelSource:
    """The channels of one replica."""

    def __init__(self, board: MemoryChannelBoard, clock: Clock) -> None:
        self._board = board
        self._clock = clock
        self._channels: set[_MemoryChannel] = set()
        self.licence = board.licence

    async def open(self) -> None:
        return None

    def acquire(
        self, station_id: UUID, *, ordinary: bool = False, bound: CallBound | None = None
    ) -> Channel | None:
        board = self._board
        if bound is not None and board.paced[bound.name] >= bound.channels:
            return None
        full = board.used[station_id] >= board.stations[station_id].channels
        if full or sum(board.used.values()) >= board.max_channels:
            return None
        if ordinary and board.ordinary >= self.capacity(ordinary=True):
            return None
        board.used[station_id] += 1
        board.ordinary += ordinary
        if bound is not None:
            board.paced[bound.name] += 1
        channel = _MemoryChannel(board, station_id, ordinary=ordinary, bound=bound)
        self._channels.add(channel)
        return channel

    def capacity(self, *, ordinary: bool = False) -> int:
        board = self._board
        total = min(board.max_channels, sum(one.channels for one in board.stations.values()))
        return total - board.licence.reserved if ordinary else total

    def has_room(self, bound: CallBound) -> bool:
        board = self._board
        return board.paced[bound.name] + board.paced_wanted[bound.name] < bound.channels

    def freed(
        self, station_ids: Sequence[UUID], *, ordinary: bool = False, bounds: Iterable[CallBound] = ()
    ) -> Coroutine[Any, Any, None]:
        return self._want_until(self._board.freed, [bound.name for bound in bounds])

    async def _want_until(self, freed: asyncio.Event, names: Sequence[str]) -> None:
        self._board.paced_wanted.update(names)
        try:
            await freed.wait()
        finally:
            self._board.paced_wanted.subtract(names)

    async def reserve_start(self, station_id: UUID, not_before: datetime | None = None) -> StartSlot:
        station, now = self._board.stations[station_id], self._clock.now()
        earliest = now if not_before is None else max(now, not_before)
        if station.min_call_interval_ms == 0:
            return StartSlot(earliest, None, delayed=False)
        next_free = self._board.next_free.get(station_id)
        start = next_start(station.channels, station.min_call_interval_ms, earliest, next_free)
        self._board.next_free[station_id] = start.next_free
        return StartSlot(start.at, start.until, start.delayed)

    async def close(self) -> None:
        for channel in self._channels:
            channel.release()


class MemoryPromptCache:
    """Paths of files that do not exist."""

    async def file(self, prompt: Prompt) -> Path:
        return Path("/nowhere") / prompt.audio.name
