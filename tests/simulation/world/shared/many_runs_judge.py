"""What must hold in a history with several runs, and across them."""

from typing import Any
from uuid import UUID

from cato_contracts.api.reasons import Reason
from cato_contracts.messages.calls import CallEvent
from cato_contracts.messages.runs import SubscriberResult
from cato_dialer.dial.ports.trunk import CallOrder
from cato_jetstream import Record
from cato_reporting.domain.parsed_message import ParsedMessage
from tests.simulation.world.exchange import number_of
from tests.simulation.world.judgement.judge import Judge
from tests.simulation.world.judgement.rules import LogRules, ReportWitness
from tests.simulation.world.shared.contact_witness import ContactWitness


def shared_number(place: int) -> str:
    return number_of(place, 0)


class ManyRunsJudge(Judge):
    """Judges each run by itself, and the calls to each number over all runs."""

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        self.contacts = ContactWitness(world.history.limits, world.violated)
        self.of_run: dict[UUID, tuple[LogRules, ReportWitness]] = {}

    def readings(self) -> list[tuple[int, ParsedMessage]]:
        found = [reading for _, reports in self.of_run.values() for reading in reports.readings]
        return sorted(found, key=lambda one: one[0])

    def take(self, record: Record) -> None:
        world = self._world
        run_id = UUID(record.subject.split(".")[1])
        if run_id not in self.of_run:
            reports = ReportWitness(run_id, world.clock.now, world.violated)
            self.of_run[run_id] = LogRules(world.violated), reports
        rules, reports = self.of_run[run_id]
        for envelope in reports.take(record):
            body = envelope.body
            rules.take(body)
            if isinstance(body, CallEvent):
                self.note_call(body)
                if rules.snapshot is not None:
                    self.contacts.note(body, rules.snapshot)
            if isinstance(body, SubscriberResult):
                self.check_result(body, rules)
                self._check_reason(body)

    def invited(self, order: CallOrder) -> None:
        """Judge an INVITE."""
        self.contacts.invited(order)
        self._world.exclusions.invited(order.number)

    def judge(self) -> None:
        for rules, reports in self.of_run.values():
            rules.assert_complete()
            reports.assert_true(rules)
        self.check_left()
        history = self._world.history
        if self.calm and not (history.partitions or history.lost_workers):
            numbers = {shared_number(one) for people in history.lists for each in people for one in each}
            for number in numbers:
                if (claim := self._world.records.record(number).record.claim) is not None:
                    self._world.violated(f"{number} is still claimed: {claim}")

    def _check_reason(self, result: SubscriberResult) -> None:
        world = self._world
        if result.reason == Reason.EXCLUDED and not world.exclusions.asked:
            world.violated(f"{result}, and no number was excluded")
        if result.reason == Reason.LIMIT_REACHED and not self._limited:
            world.violated(f"{result}, and there are no limits")

    @property
    def _limited(self) -> bool:
        history = self._world.history
        own = history.settings.get("contact_limits")
        return any(one.limits for one in (*history.limits, *([own] if own else ())))
