"""Case T1: a SIP worker is killed with four people listening. Everything is real but the broker."""

import asyncio
import os
import signal
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from cato_contracts.calls import CallEvent, CallEventKind
from cato_contracts.jobs import RunDispatchState, RunMode
from cato_contracts.resources import SuccessCondition
from cato_contracts.runs import Prompt, SubscriberResult
from cato_dialer.dial.adapters.pjsua2.supervisor.trunk import Pjsua2Trunk
from cato_dialer.dial.handlers.deps import Deps
from cato_dialer.dial.role import DialRole
from cato_exchange.exchange import Exchange
from cato_exchange.plan import Plan
from cato_runtime.clock import SystemClock
from cato_runtime.config import DialingConfig
from cato_runtime.station_config import StationConfig
from services.dialer.tests.support.memory_dial import (
    MemoryCallJournal,
    MemoryChannelBoard,
    MemoryChannelSource,
    MemoryJobQueue,
    MemoryJobSource,
)
from services.dialer.tests.trunk_kit import every_code, write_wav

PEOPLE = 4
PROMPT_MS = 2_000


class OnePrompt:
    def __init__(self, path: Path) -> None:
        self._path = path

    async def file(self, _prompt: Prompt) -> Path:
        return self._path


class Observed(MemoryCallJournal):
    """A journal that tells when so many events of a kind are in it."""

    def __init__(self) -> None:
        super().__init__()
        self.grew = asyncio.Event()

    async def append_event(self, event: Any, after: int) -> int:
        head = await super().append_event(event, after)
        self.grew.set()
        return head

    @property
    def events(self) -> list[CallEvent]:
        return [entry.body for entry in self.entries if isinstance(entry.body, CallEvent)]

    def count(self, kind: CallEventKind) -> int:
        return sum(event.kind is kind for event in self.events)

    async def until(self, kind: CallEventKind, count: int) -> None:
        while self.count(kind) < count:
            self.grew.clear()
            await self.grew.wait()


@pytest.mark.timeout(60)
async def test_t1_people_of_a_killed_sip_worker_are_called_again_in_the_same_wave(
    tmp_path: Path, job_of: Any
) -> None:
    prompt = write_wav(tmp_path / "prompt.wav", every_code(PROMPT_MS // 20))
    clock, run_id, journal = SystemClock(), uuid4(), Observed()
    queue = MemoryJobQueue(clock)
    queue.set_state(RunDispatchState(run_id=run_id, priority=0, mode=RunMode.CALLING))
    async with AsyncExitStack() as stack:
        plan = Plan.parse("rules:\n  - {match: '100.', behaviour: answer}\n")
        exchange = await stack.enter_async_context(Exchange(plan))
        station = StationConfig(uri=exchange.uri, channels=PEOPLE)
        source = MemoryJobSource(queue)
        trunk = Pjsua2Trunk(
            DialingConfig(bind_address="127.0.0.1", calls_per_worker=PEOPLE), workers_for=PEOPLE
        )
        role = DialRole(
            Deps(
                stations=(station,),
                trunk=trunk,
                journal=journal,
                channels=MemoryChannelSource(MemoryChannelBoard((station,), PEOPLE), clock),
                prompts=OnePrompt(prompt),
                clock=clock,
                run_states=source.run_states,
            ),
            source,
        )
        await role.start()
        stack.push_async_callback(role.stop)
        over = asyncio.Event()
        queue.listeners.append(lambda: queue.jobs or over.set())
        for no in range(PEOPLE):
            job = job_of(run_id, no)
            listened = job.settings.model_copy(
                update={"success_condition": SuccessCondition.PICKUP_AND_LISTEN_FULL}
            )
            length = job.prompt.model_copy(update={"duration_ms": PROMPT_MS})
            queue.put(job.model_copy(update={"settings": listened, "prompt": length}))
        over.clear()
        await journal.until(CallEventKind.PLAYBACK_STARTED, PEOPLE)
        (victim,) = trunk.worker_pids
        os.kill(victim, signal.SIGKILL)
        await over.wait()
        invites = [call.number for call in exchange.calls]

    results = [entry.body for entry in journal.entries if isinstance(entry.body, SubscriberResult)]
    assert sorted((result.no, result.wave, result.notified) for result in results) == [
        (no, 1, True) for no in range(PEOPLE)
    ]
    assert journal.count(CallEventKind.INTERRUPTED) == PEOPLE
    calls = {event.call_id: event.number for event in journal.events}
    assert sorted(calls.values()) == sorted(invites), "every call on record is a request on the wire"
    assert len(invites) == 2 * PEOPLE
