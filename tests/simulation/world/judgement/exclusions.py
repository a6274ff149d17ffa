"""Numbers that are excluded and readmitted, or opt out, while a run goes on, and what must hold then."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from cato_contracts.api.reasons import Reason
from cato_contracts.api.rules.exclusions import Exclusion, ExclusionScope
from cato_contracts.errors import ErrorCode
from cato_contracts.messages.calls import CallEvent, CallEventKind
from cato_contracts.messages.campaign_commands import ListFormat
from cato_contracts.messages.exclusion_commands import AddExclusionList, ExcludeNumber, ReadmitNumber
from cato_contracts.messages.runs import SubscriberResult
from cato_contracts.numbering import Numbering
from cato_contracts.objects import Bucket
from cato_contracts.requests import Actor
from cato_dialer.campaign.handlers.exclusions.stored_changes import change_decoder
from cato_dialer.exclusions.changes import NumberPut
from cato_jetstream import Record
from tests.simulation.world.exchange import number_of


@dataclass(frozen=True)
class Exclude:
    """Put a number of a subscriber on a list, `at` seconds after the start, or take it off."""

    at: float
    no: int
    phone: int
    readmit: bool = False


class ExclusionWitness:
    """Carries out the exclusions of a history; no INVITE to a number may follow the answer."""

    def __init__(self, world: Any, user: Actor, scope: ExclusionScope = ExclusionScope.USER) -> None:
        self._world = world
        self._user = user
        self._scope = scope
        self._answered: dict[str, float] = {}
        self._asked: set[str] = set()
        self.opt_outs = OptOutWitness(world)
        self.excluded = 0
        """How many times a number was excluded during the run."""

    async def run(self) -> None:
        """Add a list with nobody of the run, then change it."""
        plan = sorted(self._world.history.exclusions, key=lambda one: one.at)
        if not plan:
            return
        began = asyncio.get_running_loop().time()
        list_id = await self._add_list()
        for place, one in enumerate(plan):
            await asyncio.sleep(max(0.0, began + one.at - asyncio.get_running_loop().time()))
            if (number := self.number_of(one)) is not None:
                await self._change(list_id, number, one, f"exclusion-{place}")

    def number_of(self, one: Exclude) -> str | None:
        """Return the number that is meant, None if the run does not have it."""
        phones = self._world.history.phones
        known = one.no < len(phones) and one.phone < phones[one.no]
        return number_of(one.no, one.phone) if known else None

    async def _add_list(self) -> UUID:
        world = self._world
        content = json.dumps([{"number": "+99999999999"}]).encode()
        upload = await world.objects.put(Bucket.UPLOADS, "exclusions", content)
        answer = await world.ask(
            AddExclusionList(
                actor=self._user,
                name="x",
                scope=self._scope,
                format=ListFormat.JSON,
                upload=upload,
            ),
            "add-exclusions",
        )
        assert answer.ok, answer
        return UUID(str(answer.value["id"]))

    async def _change(self, list_id: UUID, number: str, one: Exclude, command_id: str) -> None:
        if one.readmit:
            self._answered.pop(number, None)
            request: Any = ReadmitNumber(actor=self._user, id=list_id, number=number)
        else:
            self._asked.add(number)
            request = ExcludeNumber(actor=self._user, id=list_id, exclusion=Exclusion(number=number))
        answer = await self._world.ask(request, command_id)
        if answer.error is not None and answer.error.code is not ErrorCode.NOT_FOUND:
            self._world.violated(f"{one} is answered with {answer.error}")
        if not one.readmit:
            self.excluded += 1
            self._answered[number] = asyncio.get_running_loop().time()

    @property
    def asked(self) -> bool:
        """Tell whether the exclusion of any number was asked for so far."""
        return bool(self._asked)

    def may_be_excluded(self, no: int, phone: int) -> bool:
        """Tell whether the exclusion of a number was asked for so far."""
        return number_of(no, phone) in self._asked

    def invited(self, number: str) -> None:
        """Check an INVITE."""
        if (since := self._answered.get(number)) is not None:
            self._world.violated(f"{number} is called, its exclusion was answered at {since:.3f} s")

    def take(self, body: object) -> None:
        """Take a message of the run."""
        self.opt_outs.take(body)
        if isinstance(body, SubscriberResult):
            self._judge_result(body)

    def _judge_result(self, result: SubscriberResult) -> None:
        """Check that a subscriber counts as excluded only if a number was."""
        numbers = {number_of(result.no, phone) for phone in range(self._world.history.phones[result.no])}
        if result.reason == Reason.EXCLUDED and not numbers & self._asked:
            self._world.violated(f"{result}, and no number of the subscriber was excluded")


class OptOutWitness:
    """Compares the opt-outs in the log of the run with the numbers on exclusion lists."""

    def __init__(self, world: Any) -> None:
        self._world = world
        self._violated: Callable[[str], None] = world.violated
        self._asked: dict[UUID, CallEvent] = {}
        self._notified: set[int] = set()
        self._listed: dict[UUID, str] = {}
        self._puts: Counter[UUID] = Counter()
        self._decode = change_decoder(world.events, world.clock)
        world.events.witnesses.append(self.take_change)

    @property
    def count(self) -> int:
        """How many people have opted out."""
        return len(self._asked)

    def take_change(self, record: Record) -> None:
        """Take a commit of the catalog."""
        if not record.subject.startswith("ev.exclusion-list."):
            return
        for change in self._decode(record):
            if isinstance(change, NumberPut) and change.entry.call_id is not None:
                self._listed[change.entry.call_id] = change.entry.number
                self._puts[change.entry.call_id] += 1

    def take(self, body: object) -> None:
        """Take a message of the run."""
        who = {event.no for event in self._asked.values()}
        if isinstance(body, CallEvent):
            if body.kind is CallEventKind.OPTED_OUT:
                self._asked[body.call_id] = body
            elif body.kind is CallEventKind.STARTED and body.no in who:
                self._violated(f"subscriber {body.no} is called after an opt-out")
        elif isinstance(body, SubscriberResult):
            if body.notified:
                self._notified.add(body.no)
            elif body.reason == Reason.OPTED_OUT and body.no not in who:
                self._violated(f"{body}, and the subscriber has not opted out")
            elif body.no in who and body.reason not in {Reason.OPTED_OUT, Reason.EXPIRED}:
                self._violated(f"{body}, and the subscriber has opted out")

    def judge(self, *, calm: bool) -> None:
        """Check at the end that every opt-out is on a list, once, and that in calm times none was missed."""
        numbering = Numbering()
        for call_id, event in self._asked.items():
            if self._listed.get(call_id) != numbering.canonical(event.number):
                self._violated(f"{event.number} has opted out and is not on the list")
            if self._puts[call_id] != 1:
                self._violated(f"{event.number} was put on the list {self._puts[call_id]} times")
        for call_id in self._listed:
            if call_id not in self._asked:
                self._violated(f"a number is on the list because of call {call_id}, without an opt-out")
        if calm:
            for call_id, line in self._world.exchange.lines.items():
                if line.opted_out and call_id not in self._asked:
                    self._violated(f"subscriber {line.no} has opted out, and that is not in the log")
