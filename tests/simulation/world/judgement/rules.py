"""The invariants of the log, message by message, and of the report that is folded from it."""

import random
from collections.abc import Callable, Sequence
from datetime import datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from cato_contracts.api.status import Report, RunState
from cato_contracts.envelope import Envelope
from cato_contracts.messages.calls import FINAL_KINDS, CallEvent, CallEventKind
from cato_contracts.messages.runs import (
    RunEnded,
    RunEnding,
    RunSnapshot,
    RunStarted,
    RunStopping,
    SubscriberResult,
    WaveEnded,
    WaveStarted,
)
from cato_jetstream import Record
from cato_reporting.domain.live_runs import LiveRuns
from cato_reporting.domain.parsed_message import ParsedMessage, parse_message
from cato_reporting.domain.report import live_report
from tests.simulation.world.shared.household_witness import HouseholdWitness
from tests.support.synthetic_runs import naive_numbers

Violated = Callable[[str], None]


class LogRules:
    """Checks each message of one run against the messages before it."""

    def __init__(self, violated: Violated, households: HouseholdWitness | None = None) -> None:
        self._violated = violated
        self._households = households
        self.snapshot: RunSnapshot | None = None
        self.wave = 0
        self.wave_open = False
        self.stopping = False
        self.ending: RunEnding | None = None
        self.notified: dict[int, SubscriberResult] = {}
        self.results: dict[tuple[int, int], SubscriberResult] = {}
        self.in_wave: dict[int, frozenset[int]] = {}
        self._members: dict[int, int] = {}
        """The first person of the household, by each other member."""
        self._up: dict[int, CallEvent] = {}
        self._next_seq: dict[UUID, int] = {}
        self._over: set[UUID] = set()

    def take(self, body: object) -> None:
        if self._households is not None:
            self._households.take(body)
        match body:
            case RunStarted():
                self._must(self.snapshot is None, "a run starts once")
                self.snapshot = body.snapshot
            case WaveStarted():
                self._wave_started(body)
            case WaveEnded():
                self._wave_ended(body)
            case RunStopping():
                self.stopping = True
            case RunEnded():
                self._must(self.ending is None, "a run ends once")
                self._must(not self._up, "no call is up when the run ends", self._up)
                self.ending = body.ending
            case SubscriberResult():
                self._members |= dict.fromkeys(body.members, body.no)
                for no in body.nos:
                    self._result(body, no)
            case CallEvent():
                self._call_event(body)

    @property
    def sharing(self) -> int:
        """How many people have the results of another one."""
        return len(self._members)

    def assert_complete(self) -> None:
        """Check that each started wave decided all its subscribers, unless the run was stopped in it."""
        self._must(self.ending is not None, "the run ends")
        self._must(not self._up, "every call ends", self._up)
        if self.snapshot is None:
            return
        self._must(self.wave <= self.snapshot.settings.attempt_count, "never more waves than attemptCount")
        for wave, called in self.in_wave.items():
            decided = {no for no, of in self.results if of == wave}
            self._must(decided <= called, f"wave {wave} decides only whom it calls")
            if not (self.ending is RunEnding.STOPPED and wave == self.wave):
                self._must(decided == called, f"wave {wave} decides {sorted(called)}, not {sorted(decided)}")
        everybody = frozenset(range(self.snapshot.subscriber_count))
        if self.ending is RunEnding.FINISHED and self.wave < self.snapshot.settings.attempt_count:
            self._must(everybody == self.notified.keys(), "a run ends early only if everybody was reached")

    def _wave_started(self, event: WaveStarted) -> None:
        self._must(self.snapshot is not None, "a wave belongs to a run that has started")
        self._must(not self.wave_open and event.wave == self.wave + 1, f"wave {event.wave} comes in its turn")
        self._must(not self.stopping and self.ending is None, "no wave begins in a run that ends")
        self.wave, self.wave_open = event.wave, True
        count = self.snapshot.subscriber_count if self.snapshot else 0
        self.in_wave[event.wave] = frozenset(no for no in range(count) if no not in self.notified)
        self._must(event.subscriber_count == len(self.in_wave[event.wave]), "a wave calls who is not reached")

    def _wave_ended(self, event: WaveEnded) -> None:
        self._must(self.wave_open and event.wave == self.wave, f"wave {event.wave} is the open one")
        self.wave_open = False
        of_wave = [result for (_, wave), result in self.results.items() if wave == event.wave]
        reached = sum(result.notified for result in of_wave)
        counted = (event.notified, event.failed)
        self._must(counted == (reached, len(of_wave) - reached), "the wave's counts are true", event)
        self._must(len(of_wave) == len(self.in_wave.get(event.wave, ())), "a wave ends when all are decided")

    def _result(self, result: SubscriberResult, no: int) -> None:
        """Take the result of a subscriber, who may share it with others."""
        place = (no, result.wave)
        self._must(place not in self.results, "one result of", place)
        self._must(no not in self.notified, f"no result of {place} after success")
        self._must(self._members.get(no, result.no) == result.no, "a household stays together", place)
        self._must(result.wave == self.wave and self.wave_open, f"a result of {place} in its wave")
        self.results[place] = result
        if result.notified:
            self.notified[no] = result

    def _call_event(self, event: CallEvent) -> None:
        who = (event.no, event.wave, event.kind)
        self._must(event.call_id not in self._over, "nothing after the end of a call", who)
        if event.kind is CallEventKind.STARTED:
            self._must(event.no not in self._members, "a household is called as its first person", who)
            self._must(event.no not in self._up, "one call at a time", who)
            self._must(event.no not in self.notified, "no call after success", who)
            self._must((event.no, event.wave) not in self.results, "no call after the wave's result", who)
            self._must(event.wave == self.wave, "calls belong to the current wave", who)
            self._must(self.ending is None, "no call after the run's end", who)
            self._up[event.no] = event
        up = self._up.get(event.no)
        self._must(up is not None and up.call_id == event.call_id, "an event of the call that is up", who)
        self._must(event.seq == self._next_seq.get(event.call_id, 0), "events in their order", who)
        self._next_seq[event.call_id] = event.seq + 1
        if event.kind in FINAL_KINDS:
            self._up.pop(event.no, None)
            self._over.add(event.call_id)
            named = self.notified.get(event.no)
            if event.success:
                told = named is not None and named.call_id == event.call_id
                self._must(told, "a success is told before the call ends", who)

    def _must(self, holds: bool, rule: str, detail: object = "") -> None:
        if not holds:
            self._violated(f"log: {rule} {detail}")


class ReportWitness:
    """Folds the log as reporting does, and checks the report after each message."""

    def __init__(self, run_id: UUID, now: Callable[[], datetime], violated: Violated) -> None:
        self._run_id = run_id
        self._now = now
        self._violated = violated
        self._live = LiveRuns()
        self.readings: list[tuple[int, ParsedMessage]] = []

    def take(self, record: Record) -> Sequence[Envelope[Any]]:
        """Fold a message; return its events."""
        reading = parse_message(record.subject, record.data)
        if reading.fault is not None:
            self._violated(f"report: {record.subject} cannot be read: {reading.fault}")
        self.readings.append((record.sequence, reading))
        self._live.apply(record.sequence, reading)
        self._look(self._live)
        return reading.events

    def report(self) -> Report | None:
        return self._report(self._live)

    def assert_true(self, rules: LogRules) -> None:
        """Check the final report against a naive count and against the single results."""
        report = self.report()
        if report is None or rules.snapshot is None:
            self._violated("report: there is none")
            return
        events = [envelope for _, reading in self.readings for envelope in reading.events]
        everybody = range(rules.snapshot.subscriber_count)
        naive = naive_numbers(SimpleNamespace(subscribers=everybody), events)  # type: ignore[arg-type]
        counted = report.model_dump(include=set(naive))
        self._must(counted == naive, f"{counted} where a naive count gives {naive}")
        self._must(report.calls_in_progress == 0, "no call is in progress in the end")
        self._must(report.subscriber_notified == len(rules.notified), "who is notified has a result")
        wanted = RunState.FINISHED if rules.ending is RunEnding.FINISHED else RunState.STOPPED
        self._must(report.state is wanted and not report.active_phase, f"{report.state} is not {wanted}")
        if rules.ending is RunEnding.FINISHED and rules.wave:
            self._must(report.subscriber_not_yet_notified == 0, "everybody has a final state")

    def assert_same_in_any_order(self, chance: random.Random) -> None:
        """Check that late, reordered and repeated messages give the same report and true sums on the way."""
        disturbed = self.readings + chance.choices(self.readings, k=len(self.readings) // 3)
        chance.shuffle(disturbed)
        live = LiveRuns()
        for position, reading in disturbed:
            live.apply(position, reading)
            self._look(live)
        other = self._report(live)
        self._must(other == self.report(), f"{other} in another order than {self.report()}")

    def _report(self, live: LiveRuns) -> Report | None:
        run = live.get(self._run_id)
        if run is None or run.snapshot is None:
            return None
        return live_report(run, run.snapshot, self._now())

    def _look(self, live: LiveRuns) -> None:
        report = self._report(live)
        if report is None:
            return
        people = (report.subscriber_notified, report.subscriber_failed, report.subscriber_not_yet_notified)
        calls = (report.calls_succeeded, report.calls_failed, report.calls_in_progress)
        up = (report.calls_ringing, report.calls_talking)
        self._must(sum(people) == report.subscriber_count, "subscribers add up", report)
        self._must(sum(calls) == report.calls_total, "calls add up", report)
        self._must(sum(up) == report.calls_in_progress, "calls in progress add up", report)
        self._must(min(*people, *calls, *up) >= 0, "nothing is negative", report)
        self._must(report.calls_delayed <= report.calls_total, "delayed calls are calls", report)
        self._must(report.wave_current <= report.wave_total, "waves are counted to the last", report)

    def _must(self, holds: bool, rule: str, detail: object = "") -> None:
        if not holds:
            self._violated(f"report: {rule} {detail}")
