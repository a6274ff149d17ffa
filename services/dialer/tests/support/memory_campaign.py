"""The ports of the campaign role in memory."""

import asyncio
import json
from collections.abc import Collection, Mapping, Sequence
from contextlib import aclosing
from uuid import UUID, uuid4

from cato_contracts.api.resources import AudioFile
from cato_contracts.envelope import Envelope
from cato_contracts.errors import InvalidError
from cato_contracts.messages.calls import FINAL_KINDS
from cato_contracts.messages.jobs import DialJob, RunDispatchState
from cato_contracts.messages.runs import SubscriberResult
from cato_contracts.requests import Actor
from cato_contracts.subjects import run_call, run_fence, run_result, run_subscriber
from cato_dialer.campaign.ports import LeaseLostError, QueuedResult
from cato_runtime.clock import Clock
from tests.support.memory_log import MemoryLog


class MemoryAudioLibrary:
    """Files in a dictionary."""

    def __init__(self) -> None:
        self.known: dict[UUID, AudioFile] = {}

    async def files(self, actor: Actor, ids: Sequence[UUID]) -> list[AudioFile]:
        unknown = [
            each for each in ids if each not in self.known or not actor.may_see(self.known[each].user_id)
        ]
        if unknown:
            raise InvalidError(f"files: there is no audio file {', '.join(map(str, unknown))}")
        return [self.known[each] for each in ids]


class MemoryDialQueue:
    """Jobs in a dictionary. `arrived` is set when a job is queued."""

    def __init__(self, max_payload: int = 1_048_576) -> None:
        self.max_payload = max_payload
        self.jobs: dict[tuple[UUID, int, int], DialJob] = {}
        self.consumers: set[UUID] = set()
        self.arrived = asyncio.Event()

    async def open(self, run_id: UUID) -> None:
        self.consumers.add(run_id)

    async def enqueue(self, jobs: Sequence[DialJob]) -> list[DialJob]:
        too_large = [job for job in jobs if len(job.model_dump_json()) > self.max_payload]
        for job in jobs:
            if job in too_large:
                continue
            self.jobs.setdefault((job.run_id, job.wave, job.subscriber.no), job)
        self.arrived.set()
        return too_large

    async def count(self, run_id: UUID) -> int:
        return sum(key[0] == run_id for key in self.jobs)

    async def in_hand(self, run_id: UUID) -> set[int]:
        return set()

    async def queued(self, run_id: UUID, wave: int) -> set[int]:
        return {no for job_run, job_wave, no in self.jobs if (job_run, job_wave) == (run_id, wave)}

    async def close(self, run_id: UUID) -> None:
        self.consumers.discard(run_id)
        for key in [key for key in self.jobs if key[0] == run_id]:
            del self.jobs[key]


class MemoryRunStates:
    """Dispatch states in a dictionary."""

    def __init__(self) -> None:
        self.run_states: dict[UUID, RunDispatchState] = {}

    async def put(self, state: RunDispatchState) -> None:
        self.run_states[state.run_id] = state

    async def remove(self, run_id: UUID) -> None:
        self.run_states.pop(run_id, None)


class MemoryRunCalls:
    """Calls and results in a log in memory."""

    def __init__(self, log: MemoryLog, clock: Clock) -> None:
        self._log = log
        self._clock = clock

    async def up(self, run_id: UUID, among: Collection[int] | None = None) -> frozenset[int]:
        if among is None:
            among = set()
            async with aclosing(self._log.read([run_call(run_id, "*")], after=0)) as records:
                async for record in records:
                    if record is None:
                        break
                    among.add(int(record.subject.rsplit(".", 1)[1]))
        return frozenset([no for no in among if await self._is_up(run_id, no)])

    async def _is_up(self, run_id: UUID, no: int) -> bool:
        last = await self._log.last(run_call(run_id, no))
        return last is not None and json.loads(last.data)["body"]["kind"] not in FINAL_KINDS

    async def give_results(self, results: Sequence[QueuedResult]) -> int:
        last = 0
        for given in results:
            result = given.result
            event_id = f"{result.run_id}:{result.no}:{result.wave}"
            envelope = Envelope[SubscriberResult].wrap(
                result, event_id=event_id, occurred_at=self._clock.now()
            )
            subject = run_result(result.run_id, result.no)
            known = await self._log.last(subject)
            if (known.sequence if known else 0) != given.after:
                continue
            if await self._is_up(result.run_id, result.no):
                continue
            within = run_subscriber(result.run_id, result.no)
            head = await self._log.last(within)
            appended = await self._log.append(
                subject,
                envelope.encode(),
                expected=head.sequence if head else 0,
                message_id=event_id,
                within=within,
            )
            last = appended.sequence
        return last

    async def reject_starts(self, run_id: UUID, last: Mapping[int, int]) -> frozenset[int]:
        for no in last:
            if not await self._is_up(run_id, no):
                within = run_subscriber(run_id, no)
                head = await self._log.last(within)
                await self._log.append(
                    run_fence(run_id, no),
                    b"",
                    expected=head.sequence if head else 0,
                    message_id=str(uuid4()),
                    within=within,
                )
        return await self.up(run_id, last)


class MemoryLease:
    """A lease that is valid until another holder takes it."""

    def __init__(self, leases: "MemoryLeases", name: str) -> None:
        self._leases = leases
        self._name = name

    @property
    def valid_until(self) -> float:
        return asyncio.get_running_loop().time() + self._leases.ttl_s

    async def renew(self) -> None:
        if self._leases.held.get(self._name) is not self:
            raise LeaseLostError(f"{self._name} has another holder")

    async def release(self) -> None:
        if self._leases.held.get(self._name) is self:
            del self._leases.held[self._name]


class MemoryLeases:
    """Leases in a dictionary that do not expire."""

    def __init__(self, ttl_s: float = 6.0) -> None:
        self.ttl_s = ttl_s
        self.held: dict[str, MemoryLease] = {}

    async def acquire(self, name: str) -> MemoryLease | None:
        if name in self.held:
            return None
        lease = self.held[name] = MemoryLease(self, name)
        return lease
