"""The real roles as processes that can crash: their state is lost, their writes are kept."""

import asyncio
from datetime import datetime, timedelta
from typing import Any, Protocol

from cato_contracts.envelope import Answer, Envelope
from cato_contracts.errors import BrokerError
from cato_contracts.messages.calls import CallOwner
from cato_contracts.requests import Request
from cato_dialer.campaign.handlers.deps import Deps as CampaignDeps
from cato_dialer.campaign.role import CampaignRole
from cato_dialer.dial.domain.subscriber.takeover import OwnerAnswer
from cato_dialer.dial.handlers.deps import Deps as DialDeps
from cato_dialer.dial.ports.contacts import NoContacts
from cato_dialer.dial.ports.exclusions import NoExclusions
from cato_dialer.dial.ports.trunk import CallOrder
from cato_dialer.dial.role import DialRole
from cato_dialer.exclusions.guard import ExclusionGuard
from cato_jetstream import Unavailable
from cato_runtime.clock import Clock
from services.dialer.tests.support.memory_dial import (
    MemoryChannelSource,
    MemoryIncarnations,
    MemoryPromptCache,
)
from services.dialer.tests.support.memory_exclusions import exclusion_reader
from tests.simulation.world.exchange import Line, UnsentLine
from tests.simulation.world.faults import FaultyPort, ProcessLife
from tests.simulation.world.surroundings import ExpiringLease, LaggingRunStates, LogJournal
from tests.support.lists.direct_list_reader import DirectListReader


class Process(Protocol):
    life: ProcessLife

    async def run(self) -> None:
        """Start the role and return. A BrokerError ends the process."""
        ...

    def abandon(self) -> None:
        """Carry out the effects that a dead process has in the operating system and the broker."""
        ...

    async def stop(self) -> None: ...


class OffsetClock:
    """The clock of one machine, which is off by `offset_s`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.offset_s = 0.0

    def now(self) -> datetime:
        return self._clock.now() + timedelta(seconds=self.offset_s)


class DialProcess:
    """The dial role."""

    def __init__(self, world: Any, life: ProcessLife) -> None:
        self.life = life
        self._world = world
        self._lines: list[Line] = []
        self.name: str = world.free_name()
        incarnations = MemoryIncarnations(world.incarnations, self.name)
        self.source = LaggingRunStates(world.queue, incarnations.own, world.history.state_lag_s)
        self.journal = LogJournal(world.runs)
        self._channels = MemoryChannelSource(world.board, world.clock)
        self._trunk = _Trunk(self)
        self.clock = OffsetClock(world.clock)
        no_contacts = isinstance(world.contacts, NoContacts)
        deps = DialDeps(
            stations=world.stations,
            trunk=self._trunk,
            journal=FaultyPort(life, self.journal, BrokerError),
            channels=_Channels(life, self._channels, BrokerError),
            prompts=FaultyPort(life, MemoryPromptCache(), BrokerError),
            incarnations=FaultyPort(life, incarnations, BrokerError),
            clock=self.clock,
            run_states=self.source.run_states,
            # Without rules no message is sent for them.
            pacing=FaultyPort(life, world.pacing, BrokerError) if world.history.pacing else world.pacing,
            # Without lists nothing is read or announced for them.
            exclusions=self._guard(incarnations.own) if world.history.has_lists else NoExclusions(),
            contacts=world.contacts if no_contacts else FaultyPort(life, world.contacts, BrokerError),
        )
        self.role = DialRole(deps, _Source(life, self.source, None))

    def _guard(self, own: CallOwner) -> ExclusionGuard:
        world, life = self._world, self.life
        reader = exclusion_reader(
            FaultyPort(life, world.events, Unavailable),
            FaultyPort(life, world.objects, BrokerError),
            world.clock,
        )
        board = world.readings.of(f"{own.instance}.{own.incarnation}")
        return ExclusionGuard(reader, FaultyPort(life, board, BrokerError), world.clock)

    async def run(self) -> None:
        await self.role.start()

    @property
    def place_count(self) -> int:
        """Return the number of calls that it placed."""
        return len(self._lines)

    def cut_off(self, seconds: float) -> None:
        """Lose the broker for `seconds`, with the calls up."""
        if not self.life.cut_off and self.source in self._world.queue.on_call:
            self.life.cut_off = True
            self.source.cut_off()
            asyncio.get_running_loop().call_later(seconds, self._reconnect)

    def _reconnect(self) -> None:
        self.life.cut_off = False
        if not self.life.dead:
            self.source.reconnect(self.role.dispatcher._has_call)

    def lose_workers(self, seconds: float) -> None:
        """End the SIP workers, and start new ones after `seconds`."""
        self._trunk.lose_workers(seconds)
        for line in self._lines:
            line.fail()

    def place(self, order: CallOrder) -> Line | UnsentLine:
        self.life.check()
        if not self._trunk.capacity:
            return UnsentLine(self._world.clock)
        line = self._world.exchange.place(order)
        self._lines.append(line)
        return line

    def abandon(self) -> None:
        for line in self._lines:
            line.drop()
        self.source.leave()

    async def stop(self) -> None:
        try:
            await self.role.stop()
        finally:
            await self._channels.close()


class _Source(FaultyPort):
    """The job source: by its contract, taking a job does not fail."""

    async def take(self, *arguments: Any) -> Any:
        if self._life.cut_off:
            return []
        await self._life.begin(None)
        holds = await self._port.take(*arguments)
        await self._life.finish(None)
        return [FaultyPort(self._life, hold, None) for hold in holds]

    async def ask_owner(self, key: str, owner: CallOwner | None) -> OwnerAnswer:
        if self._life.cut_off:
            raise BrokerError("the broker is not reached")
        await self._life.begin(BrokerError)
        answer: OwnerAnswer = await self._port.ask_owner(key, owner)
        await self._life.finish(BrokerError)
        return answer


class _Channels(FaultyPort):
    """The channel source: waiting for a channel does not fail."""

    def freed(self, *arguments: Any, **named: Any) -> Any:
        return self._checked(self._port.freed(*arguments, **named))

    async def _checked(self, freed: Any) -> None:
        await freed
        self._life.check()


class _Trunk:
    media_lag_ms = 0
    loop_lag_ms = 0

    def __init__(self, process: DialProcess) -> None:
        self._process = process
        self._losses = 0
        self._working = asyncio.Event()
        self._working.set()

    @property
    def capacity(self) -> int:
        return 50 if self._working.is_set() else 0

    def lose_workers(self, seconds: float) -> None:
        self._losses += 1
        self._working.clear()
        asyncio.get_running_loop().call_later(seconds, self._start_workers)

    def _start_workers(self) -> None:
        self._losses -= 1
        if not self._losses:
            self._working.set()

    async def open(self) -> None:
        return None

    @property
    def has_free_line(self) -> bool:
        return self._working.is_set()

    async def line_free(self) -> None:
        await self._working.wait()

    def place(self, order: CallOrder) -> Line | UnsentLine:
        return self._process.place(order)

    async def close(self) -> None:
        return None


class CampaignProcess:
    """The campaign role: catalog, requests, coordinator."""

    def __init__(self, world: Any, life: ProcessLife) -> None:
        self.life = life
        self._world = world
        deps = CampaignDeps(
            events=FaultyPort(life, world.events, Unavailable),
            run_log=FaultyPort(life, world.runs, Unavailable),
            objects=FaultyPort(life, world.objects, BrokerError),
            list_reader=DirectListReader(),
            audio=world.audio,
            queue=FaultyPort(life, world.campaign_queue, BrokerError),
            run_states=FaultyPort(life, world.campaign_run_states, BrokerError),
            calls=FaultyPort(life, world.calls, BrokerError),
            leases=FaultyPort(life, world.leases, BrokerError, wraps=self._held),
            excluded=exclusion_reader(
                FaultyPort(life, world.events, Unavailable),
                FaultyPort(life, world.objects, BrokerError),
                world.clock,
            ),
            readings=FaultyPort(life, world.readings.of("campaign"), BrokerError),
            config=world.config,
            clock=world.clock,
            pace=world.pace,
            lease_pace=world.lease_pace,
        )
        self.role = CampaignRole(deps)

    async def run(self) -> None:
        await self.role.start()

    async def dispatch(self, request: Request[Any], command_id: str) -> Answer:
        envelope: Envelope[Any] = Envelope[Any].wrap(
            request, event_id=command_id, occurred_at=self._world.clock.now()
        )
        self.life.check()
        answer = await self.role.requests.dispatch(envelope)
        self.life.check()
        return answer

    def abandon(self) -> None:
        """Leave nothing behind; its leases expire."""

    async def stop(self) -> None:
        await self.role.stop()

    def _held(self, lease: ExpiringLease | None) -> Any:
        return None if lease is None else FaultyPort(self.life, lease, BrokerError)
