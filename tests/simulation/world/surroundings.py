"""The shared state of all processes in memory: the log, the job queue, and the roles' adapters to them."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID, uuid4

from cato_contracts.envelope import Message, decode
from cato_contracts.messages.calls import CallEvent, CallOwner
from cato_contracts.messages.jobs import DialJob, RunDispatchState
from cato_contracts.messages.runs import SubscriberResult
from cato_contracts.subjects import run_call, run_fence, run_opt_out, run_result, run_subscriber
from cato_dialer.campaign.ports import LeaseLostError
from cato_dialer.dial.ports.dial import FencedError, JournalEntry, SubscriberLog
from cato_jetstream import Appended, Conflict, Record
from services.dialer.tests.support.memory_dial import MemoryJobQueue, MemoryJobSource
from tests.support.memory_log import MemoryLog

M = TypeVar("M", bound=Message)
Witness = Callable[[Record], None]

REDELIVERED_AFTER_S = 10.0


class WitnessedLog(MemoryLog):
    """A log that passes every message to `witnesses` when it is written."""

    def __init__(self) -> None:
        super().__init__()
        self.witnesses: list[Witness] = []

    async def append(
        self, subject: str, data: bytes, *, expected: int, message_id: str, within: str | None = None
    ) -> Appended:
        appended = await super().append(
            subject, data, expected=expected, message_id=message_id, within=within
        )
        if not appended.duplicate:
            for witness in self.witnesses:
                witness(Record(subject, appended.sequence, data))
        return appended

    def knows(self, message_id: str) -> bool:
        return message_id in self._message_ids


class LogJournal:
    """The dial role's journal on the log of the runs, for one process."""

    def __init__(self, log: WitnessedLog) -> None:
        self._log = log
        self._written: set[int] = set()
        self.delay_s = 0.0

    async def read(self, run_id: UUID, no: int) -> SubscriberLog:
        found: list[Record] = []
        for subject in (run_call(run_id, no), run_opt_out(run_id, no)):
            position = 0
            while record := await self._log.next(subject, position):
                found.append(record)
                position = record.sequence
        found.sort(key=lambda record: record.sequence)
        events = [_body(record, CallEvent) for record in found]
        last = await self._log.last(run_subscriber(run_id, no))
        result = await self._log.last(run_result(run_id, no))
        return SubscriberLog(
            tuple(events),
            None if result is None else _body(result, SubscriberResult),
            0 if last is None else last.sequence,
        )

    async def append(self, entry: JournalEntry, after: int) -> int:
        body = entry.body
        subject = body.log_subject if isinstance(body, CallEvent) else run_result(body.run_id, body.no)
        place = subject, run_subscriber(body.run_id, body.no)
        return await self._append(*place, entry.encode(), entry.event_id, after)

    async def fence(self, run_id: UUID, no: int, after: int) -> int:
        place = run_fence(run_id, no), run_subscriber(run_id, no)
        return await self._append(*place, b"", str(uuid4()), after)

    async def _append(self, subject: str, within: str, data: bytes, message_id: str, after: int) -> int:
        if self.delay_s:
            await asyncio.sleep(self.delay_s)
        try:
            appended = await self._log.append(
                subject, data, expected=after, message_id=message_id, within=within
            )
        except Conflict as error:
            last = await self._log.last(within)
            if last is None or last.sequence not in self._written or last.data != data:
                raise FencedError(f"{subject} has been written by somebody else") from error
            return last.sequence
        self._written.add(appended.sequence)
        return appended.sequence


class JobsForCampaign:
    """The coordinator's side of the job queue."""

    def __init__(self, queue: MemoryJobQueue) -> None:
        self._queue = queue

    async def open(self, run_id: UUID) -> None:
        return None

    async def enqueue(self, jobs: Sequence[DialJob]) -> list[DialJob]:
        for job in jobs:
            self._queue.put(job)
        return []

    async def count(self, run_id: UUID) -> int:
        return sum(queued.job.run_id == run_id for queued in self._queue.jobs.values())

    async def queued(self, run_id: UUID, wave: int) -> set[int]:
        jobs = [queued.job for queued in self._queue.jobs.values()]
        return {job.subscriber.no for job in jobs if (job.run_id, job.wave) == (run_id, wave)}

    async def in_hand(self, run_id: UUID) -> set[int]:
        of_run = [each for each in self._queue.jobs.values() if each.job.run_id == run_id]
        return {queued.job.subscriber.no for queued in of_run if queued.deliveries}

    async def close(self, run_id: UUID) -> None:
        for key in [key for key, queued in self._queue.jobs.items() if queued.job.run_id == run_id]:
            del self._queue.jobs[key]


class StatesForCampaign:
    """The coordinator's side of the dispatch states; the last write wins."""

    def __init__(self, queue: MemoryJobQueue) -> None:
        self._queue = queue

    async def put(self, state: RunDispatchState) -> None:
        self._queue.set_state(state)

    async def remove(self, run_id: UUID) -> None:
        self._queue.drop_state(run_id)


class ExpiringLease:
    """A lease that is held until it is released, expires, or is taken away."""

    def __init__(self, leases: "ExpiringLeases", name: str) -> None:
        self._leases = leases
        self._name = name
        self.valid_until = 0.0

    async def renew(self) -> None:
        if self._leases.held.get(self._name) is not self:
            raise LeaseLostError(f"{self._name} is somebody else's")
        self.prolong()

    async def release(self) -> None:
        if self._leases.held.get(self._name) is self:
            del self._leases.held[self._name]

    def prolong(self) -> None:
        self.valid_until = asyncio.get_running_loop().time() + self._leases.ttl_s


class ExpiringLeases:
    """Leases that expire, like those of the broker."""

    def __init__(self, ttl_s: float) -> None:
        self.ttl_s = ttl_s
        self.held: dict[str, ExpiringLease] = {}

    async def acquire(self, name: str) -> ExpiringLease | None:
        holder = self.held.get(name)
        if holder is not None and holder.valid_until > asyncio.get_running_loop().time():
            return None
        lease = self.held[name] = ExpiringLease(self, name)
        lease.prolong()
        return lease


class ExpiringHold:
    """A delivered job that is redelivered if it is not extended in time."""

    def __init__(self, source: MemoryJobSource, hold: Any) -> None:
        self._source = source
        self._hold = hold
        self._delivery = hold._queued.deliveries
        self._expiry = self._expire_later()
        self.traceparent = None

    @property
    def key(self) -> str:
        return self._hold.key

    @property
    def job(self) -> DialJob:
        return self._hold.job

    @property
    def redelivered(self) -> bool:
        return self._delivery > 1

    async def done(self) -> None:
        self._expiry.cancel()
        await self._hold.done()

    async def give_back(self, delay_s: float) -> None:
        self._expiry.cancel()
        if self._is_ours():
            await self._hold.give_back(delay_s)

    async def extend(self) -> None:
        self._expiry.cancel()
        self._expiry = self._expire_later()

    def leave(self) -> None:
        self._hold.leave()

    def _expire_later(self) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(REDELIVERED_AFTER_S, self._expire)

    def _expire(self) -> None:
        if self._is_ours():
            self._hold._queued.holder = None
            self._source.queue.announce()

    def _is_ours(self) -> bool:
        queued = self._hold._queued
        return queued.holder is self._source and queued.deliveries == self._delivery


class LaggingRunStates(MemoryJobSource):
    """A replica's side of the queue, which sees a changed run with a lag."""

    def __init__(self, queue: MemoryJobQueue, own: CallOwner, lag_s: float) -> None:
        super().__init__(queue, own)
        self._lag_s = lag_s
        self.disconnected = False
        self._seen: dict[UUID, RunDispatchState] = {}
        self._awaited = False
        self._wake: Callable[[], None] = lambda: None

    async def open(self, on_change: Callable[[], None], has_call: Callable[[str], bool]) -> None:
        self._wake = on_change
        self._seen = dict(self.queue.run_states)
        await super().open(self._changed, has_call)

    def run_states(self) -> Mapping[UUID, RunDispatchState]:
        return self._seen

    async def take(self, run_id: UUID, limit: int) -> Sequence[ExpiringHold]:
        if self.disconnected:
            return []
        return [ExpiringHold(self, hold) for hold in await super().take(run_id, limit)]

    def cut_off(self) -> None:
        """Take no jobs and answer no questions."""
        self.disconnected = True
        self.queue.on_call.pop(self, None)

    def reconnect(self, has_call: Callable[[str], bool]) -> None:
        self.queue.on_call[self] = has_call
        self._reconnect()

    def lose_heartbeats(self, seconds: float) -> None:
        """Redeliver the held jobs to other replicas and receive none for `seconds`; calls go on."""
        self.disconnected = True
        asyncio.get_running_loop().call_later(seconds, self._reconnect)
        self.queue.take_away(self)

    def _reconnect(self) -> None:
        self.disconnected = False
        self._wake()

    def leave(self) -> None:
        """Disappear without notice."""
        if self._on_change in self.queue.listeners:
            self.queue.listeners.remove(self._on_change)
        self.queue.on_call.pop(self, None)

    def _changed(self) -> None:
        self._wake()
        if not self._awaited and self._seen != self.queue.run_states:
            self._awaited = True
            asyncio.get_running_loop().call_later(self._lag_s, self._look)

    def _look(self) -> None:
        self._awaited = False
        self._seen = dict(self.queue.run_states)
        self._wake()


def what_is_left(queue: MemoryJobQueue, up: Mapping[Any, int], used: Mapping[Any, int]) -> list[str]:
    """Return what should be gone when all runs are over: jobs, lines that are up, channels in use."""
    left = []
    if queue.run_states or queue.jobs:
        left.append(f"not removed: {queue.run_states} {queue.jobs}")
    if sum(up.values()):
        left.append(f"lines are still up: {up}")
    if sum(used.values()):
        left.append(f"channels are still held: {used}")
    return left


def _body(record: Record, kind: type[M]) -> M:
    body = decode(record.data).body
    assert isinstance(body, kind)
    return body
