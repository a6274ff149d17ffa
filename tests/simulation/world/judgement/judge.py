"""What must hold in a history with one run: message by message, INVITE by INVITE, and at the end."""

import asyncio
from collections import Counter
from typing import Any
from uuid import UUID

from cato_contracts.api.resources import SuccessCondition
from cato_contracts.messages.calls import CallEvent, CallEventKind
from cato_contracts.messages.jobs import RunMode
from cato_contracts.messages.runs import SubscriberResult
from cato_dialer.dial.domain.call.outcome import Cause, classify
from cato_jetstream import Record
from cato_reporting.domain.parsed_message import ParsedMessage
from tests.simulation.world.exchange import Line
from tests.simulation.world.judgement.retry_witness import RetryWitness
from tests.simulation.world.judgement.rules import LogRules, ReportWitness
from tests.simulation.world.shared.household_witness import HouseholdWitness
from tests.simulation.world.surroundings import what_is_left

INTERRUPTED_REASON = classify(Cause.FAULT).reason
_STATES_KNOWN_AFTER_S = 0.5
"""In addition to the lag: a call can be on its way to the exchange."""


class Judge:
    """Reads the log, the dispatch states and the exchange's record, and tells the world what is violated."""

    def __init__(self, world: Any) -> None:
        self._world = world
        self.rules = LogRules(world.violated, HouseholdWitness(world.history, world.violated))
        self.retries = RetryWitness(world.violated)
        self.retries.may_be_excluded = world.exclusions.may_be_excluded
        self.reports: ReportWitness | None = None
        self.kinds: Counter[CallEventKind] = Counter()
        self._modes: list[tuple[float, RunMode | None]] = []

    def readings(self) -> list[tuple[int, ParsedMessage]]:
        """Return the messages of the log so far, with their positions."""
        return self.reports.readings if self.reports else []

    def take(self, record: Record) -> None:
        """Judge a message of the log."""
        world = self._world
        run_id = UUID(record.subject.split(".")[1])
        if self.reports is None:
            world.run_id = run_id
            self.reports = ReportWitness(run_id, world.clock.now, world.violated)
        if run_id != world.run_id:
            world.violated(f"there is a second run: {run_id}")
        for envelope in self.reports.take(record):
            body = envelope.body
            self.rules.take(body)
            self.retries.settings = self.rules.snapshot.settings if self.rules.snapshot else None
            self.retries.run_ends = self.rules.stopping
            self.retries.take(body, envelope.occurred_at)
            if isinstance(body, CallEvent):
                self.note_call(body)
            world.exclusions.take(body)
            if isinstance(body, SubscriberResult):
                self._check_reached(body, self.check_result(body, self.rules))

    def note_state(self) -> None:
        """Note the dispatch state of the run, which has changed."""
        state = self._world.queue.run_states.get(self._world.run_id) if self._world.run_id else None
        mode = state.mode if state else None
        if not self._modes or self._modes[-1][1] is not mode:
            self._modes.append((asyncio.get_running_loop().time(), mode))

    def forbidden(self, no: int) -> str | None:
        """Return why a subscriber must not be called now, None if a call is allowed."""
        if no in self.rules.notified:
            return "the subscriber was notified before"
        if self.rules.ending is not None:
            return "the run is over"
        now = asyncio.get_running_loop().time()
        if not self._modes:
            return "the run has no dispatch state"
        since, mode = self._modes[-1]
        if mode is not RunMode.CALLING and now - since > self._known_after_s:
            return f"the dispatch state of the run has been {mode} for {now - since} s"
        return None

    def judge(self) -> None:
        """Judge the whole history at its end."""
        world = self._world
        if self.reports is None:
            if world.run_id is not None or world.exchange.placed:
                world.violated("no message was written")
            return
        self.rules.assert_complete()
        self._check_none_missed()
        world.exclusions.opt_outs.judge(calm=self.calm and not world.history.lost_workers)
        self.reports.assert_true(self.rules)
        self.reports.assert_same_in_any_order(world.chance)
        self.check_left()

    def note_call(self, event: CallEvent) -> None:
        """Count an event of a call; in calm times a call that was never sent is not interrupted (T1)."""
        self.kinds[event.kind] += 1
        sent = event.call_id in self._world.exchange.lines
        if self.calm and event.kind is CallEventKind.INTERRUPTED and not sent:
            self._world.violated(f"call {event.call_id} was never sent and counts as interrupted")

    def check_result(self, result: SubscriberResult, rules: LogRules) -> Line | None:
        """Judge a result. Return the line of a notified subscriber, who must have been on it."""
        if result.reason == INTERRUPTED_REASON:
            self._world.violated(f"{result}: a fault of the system is no verdict about a subscriber")
        if not result.notified:
            return None
        line: Line | None = self._world.exchange.lines.get(result.call_id) if result.call_id else None
        if line is None or rules.snapshot is None or not line.answered:
            self._world.violated(f"{result} without an answered call")
            return None
        return line

    def check_left(self) -> None:
        """Check that no job, call or channel is left."""
        world = self._world
        for left in what_is_left(world.queue, world.exchange.up, world.board.used):
            world.violated(left)

    @property
    def calm(self) -> bool:
        """Tell whether nothing has happened to the processes and their connections so far."""
        world = self._world
        return world.history.faults.failing == 0 and not (world.died or world.history.lost_heartbeats)

    @property
    def _known_after_s(self) -> float:
        history = self._world.history
        return float(history.state_lag_s + _STATES_KNOWN_AFTER_S + max(history.sends_late_s))

    def _check_reached(self, result: SubscriberResult, line: Line | None) -> None:
        """Check that a notified subscriber met the success condition."""
        if line is None or self.rules.snapshot is None:
            return
        settings = self.rules.snapshot.settings
        # With a required playback of 0 s the first packet is enough; it is reported before any audio counts.
        nothing = (
            settings.success_condition is SuccessCondition.PICKUP_AND_LISTEN_SOME
            and settings.success_playback_duration_s == 0
        )
        if not nothing and not line.met(settings):
            self._world.violated(f"{result} with {line.heard_ms} ms heard and {line.keyed!r} keyed")

    def _check_none_missed(self) -> None:
        """Check in calm times that every subscriber who was reached counts as notified."""
        snapshot = self.rules.snapshot
        if snapshot is None or not self.calm or self._world.history.lost_workers:
            return
        for line in self._world.exchange.lines.values():
            if line.lasted and line.met(snapshot.settings) and line.no not in self.rules.notified:
                self._world.violated(f"subscriber {line.no} was reached and is not notified")
