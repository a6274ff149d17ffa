"""The exclusion lists of a process: both roles share the numbers, since they may be many."""

from dataclasses import dataclass

from nats.aio.client import Client

from cato_contracts.messages.calls import CallOwner
from cato_contracts.subjects import EVENTS
from cato_dialer.campaign.handlers.exclusions.stored_changes import change_decoder
from cato_dialer.exclusions.board import ReadingBoard
from cato_dialer.exclusions.book import ExclusionBook
from cato_dialer.exclusions.guard import ExclusionGuard
from cato_dialer.exclusions.nats_board import NatsReadingBoard
from cato_dialer.exclusions.reader import ExclusionReader
from cato_jetstream import JetStreamLog
from cato_runtime.clock import Clock
from cato_runtime.service import RuntimeDeps


@dataclass(frozen=True, slots=True)
class ExclusionParts:
    """The lists in memory, and how far each dialer has read them."""

    client: Client
    clock: Clock
    reader: ExclusionReader

    @property
    def board(self) -> ReadingBoard:
        """The positions of all dialers, for reading."""
        return NatsReadingBoard(self.client)

    def guard(self, own: CallOwner) -> ExclusionGuard:
        """Return what the dial role asks before a call; `own` is its process."""
        return ExclusionGuard(self.reader, NatsReadingBoard(self.client, own), self.clock)


async def exclusion_parts(runtime: RuntimeDeps) -> ExclusionParts:
    client, clock = await runtime.broker.connect(), runtime.clock
    events = JetStreamLog(client, EVENTS.name)
    book = ExclusionBook(runtime.config.numbering.rule())
    reader = ExclusionReader(events, runtime.objects, change_decoder(events, clock), book)
    return ExclusionParts(client, clock, reader)
