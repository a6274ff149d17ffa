"""The real roles as processes that can die: their state is lost, what they wrote is not."""

from typing import Any, Protocol

from cato_contracts.envelope import Answer, Envelope
from cato_contracts.errors import BrokerError
from cato_contracts.requests import Request
from cato_dialer.campaign.role import CampaignPorts, CampaignRole
from cato_dialer.dial.adapters.memory_dial import MemoryChannelLedger, MemoryPromptCache
from cato_dialer.dial.handlers.deps import DialDesk
from cato_dialer.dial.handlers.dispatch_jobs import DialRole
from cato_dialer.dial.ports.trunk import CallOrder
from cato_jetstream import Unavailable
from tests.simulation.world.exchange import Line
from tests.simulation.world.faults import Life, Outside
from tests.simulation.world.surroundings import ExpiringLease, LateTickets, LogJournal


class Process(Protocol):
    life: Life

    async def run(self) -> None:
        """Start; returns as soon as the role works. Raises BrokerError, and the process is over."""
        ...

    def abandon(self) -> None:
        """Do what the operating system and the broker do when the process has died."""
        ...

    async def stop(self) -> None: ...


class DialProcess:
    """The dial role."""

    def __init__(self, world: Any, life: Life) -> None:
        self.life = life
        self._world = world
        self._lines: list[Line] = []
        self.source = LateTickets(world.queue, world.history.ticket_lag_s)
        self.journal = LogJournal(world.runs)
        self._ledger = MemoryChannelLedger(world.board, world.clock)
        desk = DialDesk(
            stations=world.stations,
            trunk=_Trunk(self),
            journal=Outside(life, self.journal, BrokerError),
            ledger=_Ledger(life, self._ledger, BrokerError),
            prompts=Outside(life, MemoryPromptCache(), BrokerError),
            clock=world.clock,
            tickets=self.source.tickets,
        )
        self.role = DialRole(desk, _Source(life, self.source, None))

    async def run(self) -> None:
        await self.role.start()

    @property
    def place_count(self) -> int:
        """How many calls it has made."""
        return len(self._lines)

    def place(self, order: CallOrder) -> Line:
        self.life.check()
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
            await self._ledger.close()


class _Source(Outside):
    """Jobs come and go without failures: the port says so. What it cannot do, it does not do."""

    async def take(self, *arguments: Any) -> Any:
        await self._life.begin(None)
        holds = await self._port.take(*arguments)
        await self._life.finish(None)
        return [Outside(self._life, hold, None) for hold in holds]

    async def on_call_elsewhere(self, key: str) -> bool:
        await self._life.begin(BrokerError)
        answer: bool = await self._port.on_call_elsewhere(key)
        await self._life.finish(BrokerError)
        return answer


class _Ledger(Outside):
    """Waiting for a channel is no operation that fails."""

    def freed(self, *arguments: Any) -> Any:
        return self._checked(self._port.freed(*arguments))

    async def _checked(self, freed: Any) -> None:
        await freed
        self._life.check()


class _Trunk:
    capacity = 50
    media_lag_ms = 0
    loop_lag_ms = 0

    def __init__(self, process: DialProcess) -> None:
        self._process = process

    async def open(self) -> None:
        return None

    async def line_free(self) -> None:
        return None

    def place(self, order: CallOrder) -> Line:
        return self._process.place(order)

    async def close(self) -> None:
        return None


class CampaignProcess:
    """The campaign role: catalog, requests, coordinator."""

    def __init__(self, world: Any, life: Life) -> None:
        self.life = life
        self._world = world
        ports = CampaignPorts(
            events=Outside(life, world.events, Unavailable),
            runs=Outside(life, world.runs, Unavailable),
            objects=Outside(life, world.objects, BrokerError),
            audio=world.audio,
            queue=Outside(life, world.campaign_queue, BrokerError),
            tickets=Outside(life, world.campaign_tickets, BrokerError),
            calls=Outside(life, world.calls, BrokerError),
            leases=Outside(life, world.leases, BrokerError, wraps=self._held),
        )
        self.role = CampaignRole(
            ports, world.config, world.clock, pace=world.pace, lease_pace=world.lease_pace
        )

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
        """Nothing of it is left; its leases expire."""

    async def stop(self) -> None:
        await self.role.stop()

    def _held(self, lease: ExpiringLease | None) -> Any:
        return None if lease is None else Outside(self.life, lease, BrokerError)
