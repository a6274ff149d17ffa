"""The state of one run, kept up to date event by event.

Events come at least once, late, and in any order, so every part of the state only grows: a call's marks are a
set, a subscriber's result is the greatest so far, a wave's start the earliest. A mark is counted when it is
new, so an event costs the same in a run of any size, and the counts agree with each other after every event.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

from cato_contracts.api.reasons import COUNTED_APART
from cato_contracts.envelope import Envelope
from cato_contracts.instants import unix_ms
from cato_contracts.messages.calls import FINAL_KINDS, CallEvent, CallEventKind
from cato_contracts.messages.runs import (
    RunApprovalExpired,
    RunApproved,
    RunEnded,
    RunEnding,
    RunPaused,
    RunRejected,
    RunResumed,
    RunSnapshot,
    RunStarted,
    RunStationsDown,
    RunStationsUp,
    RunStopping,
    SubscriberResult,
    WaveEnded,
    WaveStarted,
)
from cato_reporting.domain.approval import ApprovalDecision

LogIndex = tuple[int, int]
"""The index of a life event in the log: sequence of its message, index within the message."""

STARTED = 1
ANSWERED = 2
ENDED = 4
SUCCEEDED = 8
DELAYED = 16
"""The marks of a call. Any event of a call sets STARTED: a call that rings has been started."""

_RULES = tuple(reason.value for reason in COUNTED_APART)
_RULE_BITS = 5

NOTIFIED = 1 << (8 + _RULE_BITS)
"""The outcome of a subscriber who was reached is not less than this, and greater than that of any failure."""
_LATEST_MS = 1 << 43
"""In the year 2248: an earlier moment makes a greater outcome."""


def _failure(wave: int, reason: str) -> int:
    """Return the outcome of a failure: the wave, and below it the rule that decided (0: a call did)."""
    return wave << _RULE_BITS | (_RULES.index(reason) + 1 if reason in _RULES else 0)


def _reached(at: datetime) -> int:
    """Return the outcome of a subscriber who was reached at this moment: of two, the earlier one counts."""
    return NOTIFIED + _LATEST_MS - unix_ms(at)


class Phase(Enum):
    """The phase of a call; UNKNOWN while only a result has named it."""

    UNKNOWN = "unknown"
    RINGING = "ringing"
    TALKING = "talking"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


def _phase(marks: int) -> Phase:
    if not marks & STARTED:
        return Phase.UNKNOWN
    if marks & ENDED:
        return Phase.SUCCEEDED if marks & SUCCEEDED else Phase.FAILED
    return Phase.TALKING if marks & ANSWERED else Phase.RINGING


_PHASES = tuple(_phase(marks) for marks in range(32))


@dataclass(frozen=True, slots=True)
class Wave:
    """A wave that has begun: its start and its number of subscribers."""

    started_at: datetime
    subscriber_count: int


@dataclass(frozen=True, slots=True)
class End:
    """How and when a run ended."""

    at: datetime
    ending: RunEnding


@dataclass(slots=True)
class LiveRun:
    """One run. `outcomes` has for a subscriber the latest failure, or when the subscriber was reached.

    `reached_after` counts those who were reached by the whole seconds since the start, once that is known.
    `failed` counts failures by wave, `failed_by_rule` those of `COUNTED_APART` by wave and reason.

    A call is known by the integer of its id: 300,000 of them are some 40 MB.
    """

    run_id: UUID
    snapshot: RunSnapshot | None = None
    started_at: datetime | None = None
    end: End | None = None
    stopping: bool = False
    decision: ApprovalDecision | None = None
    approval_expired: bool = False
    waves: dict[int, Wave] = field(default_factory=dict)
    waves_ended: dict[int, datetime] = field(default_factory=dict)
    wave: int = 0
    phases: Counter[Phase] = field(default_factory=Counter)
    delayed: int = 0
    notified: int = 0
    failed: Counter[int] = field(default_factory=Counter)
    failed_by_rule: Counter[tuple[int, str]] = field(default_factory=Counter)
    reached_after: Counter[int] = field(default_factory=Counter)
    _pause: tuple[LogIndex, bool] = ((0, 0), False)
    _station_wait: tuple[LogIndex, bool] = ((0, 0), False)
    _calls: dict[int, int] = field(default_factory=dict)
    _outcomes: dict[int, int] = field(default_factory=dict)

    @property
    def paused(self) -> bool:
        return self._pause[1]

    @property
    def awaits_station(self) -> bool:
        """Return whether no station responds and the run waits for one."""
        return self._station_wait[1]

    @property
    def in_progress(self) -> int:
        return self.phases[Phase.RINGING] + self.phases[Phase.TALKING]

    @property
    def wave_ended(self) -> bool:
        """Return whether the latest wave has ended."""
        return self.wave in self.waves_ended

    def apply(self, envelope: Envelope[Any], index: LogIndex) -> None:
        """Apply one event; repeated, late and reordered events give the same state."""
        match envelope.body:
            case CallEvent() as event:
                self.note_call(event.call_id, _marks(event), event.wave)
            case SubscriberResult() as event:
                self._result(event, envelope.occurred_at)
            case RunStarted() as event:
                self._started(event.snapshot, envelope.occurred_at)
            case WaveStarted() as event:
                self._note_station_wait(index, waits=False)
                self._wave_started(event, envelope.occurred_at)
            case WaveEnded() as event:
                self._note_station_wait(index, waits=False)
                self.wave = max(self.wave, event.wave)
                ended = self.waves_ended.get(event.wave, envelope.occurred_at)
                self.waves_ended[event.wave] = min(ended, envelope.occurred_at)
            case RunPaused() | RunResumed() as event:
                # Pause and resume alternate: the index in the log decides which was last.
                self._pause = max(self._pause, (index, isinstance(event, RunPaused)))
                self._note_station_wait(index, waits=False)
            case RunStationsDown() | RunStationsUp() as event:
                self._note_station_wait(index, waits=isinstance(event, RunStationsDown))
            case RunApproved() | RunRejected() | RunApprovalExpired() | RunStopping() as event:
                self._decided(event, envelope.occurred_at)
            case RunEnded() as event:
                end = End(envelope.occurred_at, event.ending)
                self.end = end if self.end is None else min(self.end, end, key=lambda each: each.at)

    def _decided(
        self, event: RunApproved | RunRejected | RunApprovalExpired | RunStopping, at: datetime
    ) -> None:
        if isinstance(event, RunApproved | RunRejected):
            self.decision = ApprovalDecision.of(event, at)
        self.approval_expired |= isinstance(event, RunApprovalExpired)
        self.stopping |= not isinstance(event, RunApproved)

    def _note_station_wait(self, index: LogIndex, *, waits: bool) -> None:
        # The wait also ends with its wave, and when the run is paused.
        self._station_wait = max(self._station_wait, (index, waits))

    def note_call(self, call_id: UUID, marks: int, wave: int) -> None:
        """Add marks to a call."""
        call = call_id.int
        before = self._calls.get(call, 0)
        after = before | marks
        self.wave = max(self.wave, wave)
        if after == before:
            return
        self._calls[call] = after
        old, new = _PHASES[before], _PHASES[after]
        if old is not new:
            self.phases[old] -= 1
            self.phases[new] += 1
        if after & DELAYED and not before & DELAYED:
            self.delayed += 1

    def note_outcome(
        self, no: int, wave: int, *, reached_at: datetime | None = None, reason: str = ""
    ) -> None:
        """Add a subscriber's result in a wave; `reached_at` is None if the subscriber was not reached."""
        self.wave = max(self.wave, wave)
        if self.snapshot is not None and no >= self.snapshot.subscriber_count:
            return
        before = self._outcomes.get(no, 0)
        after = max(before, _failure(wave, reason) if reached_at is None else _reached(reached_at))
        if after == before:
            return
        self._outcomes[no] = after
        self._count_outcome(before, -1)
        self._count_outcome(after, 1)

    def calls(self) -> Iterator[tuple[UUID, int]]:
        """Return every call with its marks."""
        return ((UUID(int=call), marks) for call, marks in self._calls.items())

    def outcomes(self) -> dict[int, int]:
        return dict(self._outcomes)

    def _count_outcome(self, outcome: int, by: int) -> None:
        if outcome >= NOTIFIED:
            self.notified += by
            if self.started_at is not None:
                self.reached_after[_seconds_to(outcome, self.started_at)] += by
        elif outcome:
            wave, rule = outcome >> _RULE_BITS, outcome & ((1 << _RULE_BITS) - 1)
            self.failed[wave] += by
            if rule:
                self.failed_by_rule[wave, _RULES[rule - 1]] += by

    def _result(self, event: SubscriberResult, at: datetime) -> None:
        for no in event.nos:
            reached_at = at if event.notified else None
            self.note_outcome(no, event.wave, reached_at=reached_at, reason=event.reason)
        if event.notified and event.call_id is not None:
            # The result is published when the success condition is met; the end of the call may come minutes
            # later, or never as a success if the process dies in between. The subscriber was reached anyway.
            self.note_call(event.call_id, SUCCEEDED, event.wave)

    def _started(self, snapshot: RunSnapshot, at: datetime) -> None:
        if self.snapshot is not None:
            return
        for no in [no for no in self._outcomes if no >= snapshot.subscriber_count]:
            self._count_outcome(self._outcomes.pop(no), -1)
        self.snapshot = snapshot
        self.started_at = at
        reached = (outcome for outcome in self._outcomes.values() if outcome >= NOTIFIED)
        self.reached_after = Counter(_seconds_to(outcome, at) for outcome in reached)

    def _wave_started(self, event: WaveStarted, at: datetime) -> None:
        self.wave = max(self.wave, event.wave)
        known = self.waves.get(event.wave)
        if known is None or at < known.started_at:
            self.waves[event.wave] = Wave(at, event.subscriber_count)


def awaits_approval(run: LiveRun) -> bool:
    """Return whether a second user may still approve or reject the run."""
    needed = run.snapshot is not None and run.snapshot.approval is not None
    return needed and run.decision is None and not run.stopping and run.end is None


def _seconds_to(outcome: int, start: datetime) -> int:
    """Return the whole seconds from the start until the subscriber was reached; clocks may differ."""
    return max(0, NOTIFIED + _LATEST_MS - outcome - unix_ms(start)) // 1000


def _marks(event: CallEvent) -> int:
    marks = STARTED
    if event.delayed:
        marks |= DELAYED
    if event.kind is CallEventKind.ANSWERED:
        marks |= ANSWERED
    elif event.kind in FINAL_KINDS:
        marks |= ENDED | SUCCEEDED if event.success else ENDED
    return marks
