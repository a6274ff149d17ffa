"""A dial role with one of the SIP engines; only the broker is replaced, by memory."""

import asyncio
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from cato_contracts.api.resources import NotificationSettings, SuccessCondition
from cato_contracts.messages.calls import FINAL_KINDS, CallEvent
from cato_contracts.messages.jobs import DialJob, RunDispatchState, RunMode
from cato_contracts.messages.runs import Prompt, RunSubscriber, SubscriberResult
from cato_contracts.objects import Bucket, ObjectRef
from cato_dialer.dial.adapters.dense.trunk import DenseTrunk
from cato_dialer.dial.adapters.pjsua2.supervisor.trunk import Pjsua2Trunk
from cato_dialer.dial.domain.station import Station
from cato_dialer.dial.handlers.deps import Deps
from cato_dialer.dial.ports.stations import StationWatch, UnwatchedStations
from cato_dialer.dial.role import DialRole
from cato_runtime.clock import SystemClock
from cato_runtime.configuration.config import DialingConfig
from services.dialer.tests.support.memory_dial import (
    MemoryCallJournal,
    MemoryChannelBoard,
    MemoryChannelSource,
    MemoryIncarnations,
    MemoryJobQueue,
    MemoryJobSource,
)


class OnePrompt:
    """A cache that has the same file for every prompt."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def file(self, _prompt: Prompt) -> Path:
        return self._path


class DialBench:
    """Works jobs while it is entered. The jobs are of wave 1 of one run."""

    def __init__(
        self,
        stations: tuple[Station, ...],
        channels: int,
        prompt: Path,
        prompt_ms: int,
        *,
        engine: str = "pjsua2",
        watch: StationWatch | None = None,
        **dialing: Any,
    ) -> None:
        clock = SystemClock()
        self._run_id = uuid4()
        self._prompt_ms = prompt_ms
        self._journal = MemoryCallJournal()
        self._queue = MemoryJobQueue(clock)
        self._queue.set_state(RunDispatchState(run_id=self._run_id, priority=0, mode=RunMode.CALLING))
        config = DialingConfig(**{"bind_address": "127.0.0.1", **dialing})
        self.trunk: Pjsua2Trunk | DenseTrunk
        self.trunk = DenseTrunk(config, channels) if engine == "dense" else Pjsua2Trunk(config, channels)
        incarnations = MemoryIncarnations({}, "dialer")
        source = MemoryJobSource(self._queue, incarnations.own)
        deps = Deps(
            stations=stations,
            trunk=self.trunk,
            journal=self._journal,
            channels=MemoryChannelSource(MemoryChannelBoard(stations, channels), clock),
            prompts=OnePrompt(prompt),
            incarnations=incarnations,
            clock=clock,
            run_states=source.run_states,
            watch=watch or UnwatchedStations(),
            await_stations=watch is not None,
        )
        self._role = DialRole(deps, source)

    async def __aenter__(self) -> Self:
        await self._role.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._role.stop()

    def put(self, no: int, phone: str, **settings: Any) -> None:
        """Queue the job of one subscriber."""
        fields: dict[str, Any] = {
            "id": uuid4(),
            "user_id": "user",
            "name": "bench",
            "attempt_count": 1,
            "success_condition": SuccessCondition.PICKUP_AND_LISTEN_FULL,
            "success_playback_duration_s": 1,
            "max_answer_delay_s": 2,
            "confirm_code": "12",
            **settings,
        }
        self._queue.put(
            DialJob(
                run_id=self._run_id,
                wave=1,
                subscriber=RunSubscriber(no=no, id=uuid4(), full_name=f"N{no}", phones=[phone]),
                settings=NotificationSettings(**fields),
                time_zone="Europe/Moscow",
                prompt=Prompt(
                    audio=ObjectRef(bucket=Bucket.PROMPTS, name="p", size=8), duration_ms=self._prompt_ms
                ),
                priority=0,
                expires_at=None,
            )
        )

    async def until_empty(self, limit_s: float) -> None:
        """Return when no job is left."""
        changed = asyncio.Event()
        self._queue.listeners.append(changed.set)
        async with asyncio.timeout(limit_s):
            while self._queue.jobs:
                await changed.wait()
                changed.clear()

    def all_events(self) -> list[CallEvent]:
        bodies = [entry.body for entry in self._journal.entries]
        return [body for body in bodies if isinstance(body, CallEvent)]

    def calls_up(self) -> bool:
        """Return whether a call has no end in the log."""
        ended = {event.call_id for event in self.all_events() if event.kind in FINAL_KINDS}
        return any(event.call_id not in ended for event in self.all_events())

    def results(self) -> list[SubscriberResult]:
        bodies = [entry.body for entry in self._journal.entries]
        return [body for body in bodies if isinstance(body, SubscriberResult)]

    def events(self, no: int) -> list[CallEvent]:
        bodies = [entry.body for entry in self._journal.entries]
        return [body for body in bodies if isinstance(body, CallEvent) and body.no == no]

    def ended_at_ms(self, no: int) -> float:
        """Return when the last call to the subscriber ended, by its event, in Unix milliseconds."""
        ends = [
            entry.occurred_at
            for entry in self._journal.entries
            if isinstance(entry.body, CallEvent) and entry.body.no == no and entry.body.kind in FINAL_KINDS
        ]
        return ends[-1].timestamp() * 1000

    def result(self, no: int) -> SubscriberResult:
        bodies = [entry.body for entry in self._journal.entries]
        return next(body for body in bodies if isinstance(body, SubscriberResult) and body.no == no)
