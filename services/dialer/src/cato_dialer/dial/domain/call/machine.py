"""One call as a table: what happens on the line or by the clock, and what follows.

`TRANSITIONS` is all there is: for a phase and a trigger the first row whose guard holds is taken, and what
has no row is ignored. A row's actions run in order. What makes a call a success comes before the event that
shows it, so that a crash between the two can lose an event and never a success.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from cato_dialer.dial.domain.call import actions as do
from cato_dialer.dial.domain.call import guards as when
from cato_dialer.dial.domain.call.rules import CallRules
from cato_dialer.dial.domain.call.state import Call, Effect, Phase, Signal, StartTimer, Timer, Trigger

Action = Callable[[Call, Signal], tuple[Call, tuple[Effect, ...]]]
Guard = Callable[[Call, Signal], bool]


@dataclass(frozen=True, slots=True)
class Transition:
    """A row; `guard` None always holds."""

    phase: Phase
    trigger: Trigger
    target: Phase
    actions: tuple[Action, ...]
    guard: Guard | None = None

    def described(self) -> dict[str, object]:
        """Return the row in words, for documents."""
        return {
            "phase": self.phase.value,
            "trigger": self.trigger.value,
            "guard": self.guard.__name__ if self.guard else None,
            "actions": [action.__name__ for action in self.actions],
            "target": self.target.value,
        }


def _rows(
    phases: Iterable[Phase],
    trigger: Trigger,
    target: Phase | None,
    *actions: Action,
    guard: Guard | None = None,
) -> tuple[Transition, ...]:
    """Make the same row for several phases; a target of None stays where it is."""
    return tuple(Transition(phase, trigger, target or phase, actions, guard) for phase in phases)


_BEFORE = (Phase.DIALLING, Phase.RINGING)
_UP = (Phase.TALKING, Phase.LISTENING)
_OURS = (*_BEFORE, *_UP)
_LIVE = (*_OURS, Phase.RELEASING)
_MAY_HEAR = (Phase.TALKING, Phase.RELEASING)
_D, _R, _T, _L, _X, _E = Phase

TRANSITIONS: tuple[Transition, ...] = (
    *_rows((_D,), Trigger.TRYING, None, do.record_trying),
    *_rows((_D,), Trigger.RINGING, _R, do.record_ringing, do.begin_answer_limit),
    *_rows((_D,), Trigger.PROGRESS, _R, do.record_progress, do.begin_answer_limit),
    *_rows((_R,), Trigger.RINGING, None, do.record_ringing),
    *_rows((_R,), Trigger.PROGRESS, None, do.record_progress),
    *_rows(
        _BEFORE, Trigger.ANSWERED, _T, do.succeed, do.record_answer, do.begin_talk, guard=when.pickup_suffices
    ),
    *_rows(_BEFORE, Trigger.ANSWERED, _T, do.record_answer, do.begin_talk),
    # The 200 that crosses our CANCEL: somebody lifted the receiver after we had given up, and heard nothing.
    *_rows((_X,), Trigger.ANSWERED, None, do.record_answer, guard=when.not_answered),
    *_rows((_D,), Trigger.SETUP_EXPIRED, _X, do.blame_setup, do.record_limit_to_answer, do.hang_up),
    *_rows((_R,), Trigger.ANSWER_EXPIRED, _X, do.blame_no_answer, do.record_limit_to_answer, do.hang_up),
    *_rows(
        (_T,),
        Trigger.PLAYBACK_STARTED,
        None,
        do.succeed,
        do.record_playback_started,
        guard=when.first_packet_suffices,
    ),
    *_rows((_T,), Trigger.PLAYBACK_STARTED, None, do.record_playback_started),
    *_rows(_MAY_HEAR, Trigger.HEARD, None, do.note_heard, do.succeed, guard=when.heard_enough),
    *_rows(_MAY_HEAR, Trigger.HEARD, None, do.note_heard),
    *_rows(
        (_T,),
        Trigger.PLAYBACK_FINISHED,
        _X,
        do.note_heard,
        do.succeed,
        do.record_playback_finished,
        do.hang_up,
        guard=when.prompt_suffices,
    ),
    *_rows(
        (_T,),
        Trigger.PLAYBACK_FINISHED,
        _L,
        do.note_heard,
        do.record_playback_finished,
        do.await_code,
        guard=when.awaits_code,
    ),
    *_rows((_T,), Trigger.PLAYBACK_FINISHED, _X, do.note_heard, do.record_playback_finished, do.hang_up),
    *_rows(
        (_X,),
        Trigger.PLAYBACK_FINISHED,
        None,
        do.note_heard,
        do.succeed,
        do.record_playback_finished,
        guard=when.prompt_suffices,
    ),
    *_rows((_X,), Trigger.PLAYBACK_FINISHED, None, do.note_heard, do.record_playback_finished),
    *_rows(
        _UP,
        Trigger.DIGIT,
        _X,
        do.succeed,
        do.record_digit,
        do.record_confirmed,
        do.hang_up,
        guard=when.completes_code,
    ),
    *_rows(_UP, Trigger.DIGIT, None, do.record_digit),
    # Keyed while our BYE was on its way: it counts.
    *_rows(
        (_X,),
        Trigger.DIGIT,
        None,
        do.succeed,
        do.record_digit,
        do.record_confirmed,
        guard=when.completes_code,
    ),
    *_rows((_X,), Trigger.DIGIT, None, do.record_digit, guard=when.answered),
    *_rows((_L,), Trigger.CONFIRMATION_EXPIRED, _X, do.blame_no_code, do.hang_up),
    *_rows(_UP, Trigger.DURATION_EXPIRED, _X, do.blame_duration, do.record_limit_to_talk, do.hang_up),
    *_rows(_OURS, Trigger.HANG_UP, _X, do.blame_order, do.hang_up),
    *_rows(
        _LIVE, Trigger.REMOTE_HANGUP, _E, do.succeed, do.record_remote_hangup, do.end, guard=when.heard_enough
    ),
    *_rows(_LIVE, Trigger.REMOTE_HANGUP, _E, do.record_remote_hangup, do.end),
    *_rows(_LIVE, Trigger.LOCAL_HANGUP, _E, do.succeed, do.end, guard=when.heard_enough),
    *_rows(_LIVE, Trigger.LOCAL_HANGUP, _E, do.end),
    *_rows(_LIVE, Trigger.REJECTED, _E, do.record_rejection, do.end),
    *_rows(_LIVE, Trigger.NO_RESPONSE, _E, do.succeed, do.end, guard=when.heard_enough),
    *_rows(_LIVE, Trigger.NO_RESPONSE, _E, do.end),
    *_rows(_OURS, Trigger.FAULT, _E, do.succeed, do.interrupt, guard=when.heard_enough),
    *_rows(_OURS, Trigger.FAULT, _E, do.interrupt),
    # What ended the call was decided before the engine failed.
    *_rows((_X,), Trigger.FAULT, _E, do.succeed, do.end, guard=when.heard_enough),
    *_rows((_X,), Trigger.FAULT, _E, do.end),
    *_rows((_X,), Trigger.RELEASE_EXPIRED, _E, do.end),
)

_BY_PLACE: dict[tuple[Phase, Trigger], tuple[Transition, ...]] = {
    (phase, trigger): tuple(row for row in TRANSITIONS if (row.phase, row.trigger) == (phase, trigger))
    for phase in Phase
    for trigger in Trigger
}


def begin(rules: CallRules, at: int) -> tuple[Call, tuple[Effect, ...]]:
    """Return the call as it is placed at `at`."""
    return Call(rules), (StartTimer(Timer.SETUP, at + rules.setup_ms),)


def advance(call: Call, signal: Signal) -> tuple[Call, tuple[Effect, ...]]:
    """Return the call after `signal`, and what is to be done about it, in order."""
    for row in _BY_PLACE[call.phase, signal.trigger]:
        if row.guard is None or row.guard(call, signal):
            effects: list[Effect] = []
            for action in row.actions:
                call, asked = action(call, signal)
                effects.extend(asked)
            return replace(call, phase=row.target), tuple(effects)
    return call, ()


def transition_table() -> list[dict[str, object]]:
    """Return every transition in words, in the order in which rows are tried."""
    return [row.described() for row in TRANSITIONS]
