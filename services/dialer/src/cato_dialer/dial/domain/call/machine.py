"""The state machine of one call, as a table.

`TRANSITIONS` is the whole machine: for a phase and a trigger the first row whose guard holds is taken, and an
input without a row is ignored. The actions of a row run in order. The success of a call comes before the
event that shows it, so that a crash between the two can lose an event, but never a success.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from cato_dialer.dial.domain.call import actions as do
from cato_dialer.dial.domain.call import guards as when
from cato_dialer.dial.domain.call import line_events as on
from cato_dialer.dial.domain.call.line_events import ReleaseCause
from cato_dialer.dial.domain.call.rules import CallRules
from cato_dialer.dial.domain.call.state import (
    Call,
    CallInput,
    Effect,
    HangUpOrdered,
    Phase,
    StartTimer,
    Timer,
    Trigger,
    trigger_name,
    trigger_of,
)

Action = Callable[[Call, Any], tuple[Call, tuple[Effect, ...]]]
"""Takes the kind of input that its row is for."""
Guard = Callable[[Call, Any], bool]


@dataclass(frozen=True, slots=True)
class Transition:
    """A row of the table; a guard of None always holds."""

    phase: Phase
    trigger: Trigger
    target: Phase
    actions: tuple[Action, ...]
    guard: Guard | None = None

    def described(self) -> dict[str, object]:
        """Return the names of the row, for documents."""
        return {
            "phase": self.phase.value,
            "trigger": trigger_name(self.trigger),
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
_ANSWERED = (*_UP, Phase.ANNOUNCING)
_OURS = (*_BEFORE, *_ANSWERED)
_LIVE = (*_OURS, Phase.RELEASING)
_MAY_HEAR = (Phase.TALKING, Phase.ANNOUNCING, Phase.RELEASING)
_D, _R, _T, _L, _N, _X, _E = Phase

TRANSITIONS: tuple[Transition, ...] = (
    *_rows((_D,), on.LineTrying, None, do.record_trying),
    *_rows((_D,), on.LineRinging, _R, do.record_ringing, do.begin_answer_limit),
    *_rows((_D,), on.LineProgress, _R, do.record_progress, do.begin_answer_limit),
    *_rows((_R,), on.LineRinging, None, do.record_ringing),
    *_rows((_R,), on.LineProgress, None, do.record_progress),
    *_rows(
        _BEFORE, on.LineAnswered, _T, do.succeed, do.record_answer, do.begin_talk, guard=when.pickup_suffices
    ),
    *_rows(_BEFORE, on.LineAnswered, _T, do.record_answer, do.begin_talk),
    # The 200 crosses our CANCEL: the person answered after we had given up, and heard nothing.
    *_rows((_X,), on.LineAnswered, None, do.record_answer, guard=when.not_answered),
    *_rows((_D,), Timer.SETUP, _X, do.blame_setup, do.record_limit_to_answer, do.hang_up),
    *_rows((_R,), Timer.ANSWER, _X, do.blame_no_answer, do.record_limit_to_answer, do.hang_up),
    *_rows(
        (_T,),
        on.LinePlaybackStarted,
        None,
        do.succeed,
        do.record_playback_started,
        guard=when.first_packet_suffices,
    ),
    *_rows((_T,), on.LinePlaybackStarted, None, do.record_playback_started),
    *_rows(_MAY_HEAR, on.LineHeard, None, do.note_heard, do.succeed, guard=when.heard_enough),
    *_rows(_MAY_HEAR, on.LineHeard, None, do.note_heard),
    # The end of the prompt, or of its last repetition, crosses the order to play it again.
    *_rows(
        _UP,
        on.LinePlaybackFinished,
        None,
        do.note_heard,
        do.succeed,
        do.record_playback_finished,
        guard=when.prompt_suffices_superseded,
    ),
    *_rows(
        _UP,
        on.LinePlaybackFinished,
        None,
        do.note_heard,
        do.record_playback_finished,
        guard=when.superseded,
    ),
    *_rows((_N,), on.LinePlaybackFinished, None, do.note_heard, guard=when.superseded),
    *_rows((_N,), on.LinePlaybackFinished, _X, do.hang_up),
    *_rows(
        (_T,),
        on.LinePlaybackFinished,
        _X,
        do.note_heard,
        do.succeed,
        do.record_playback_finished,
        do.hang_up,
        guard=when.prompt_suffices,
    ),
    *_rows(
        (_T,),
        on.LinePlaybackFinished,
        _L,
        do.note_heard,
        do.record_playback_finished,
        do.await_code,
        guard=when.awaits_code,
    ),
    *_rows((_T,), on.LinePlaybackFinished, _X, do.note_heard, do.record_playback_finished, do.hang_up),
    *_rows(
        (_X,),
        on.LinePlaybackFinished,
        None,
        do.note_heard,
        do.succeed,
        do.record_playback_finished,
        guard=when.prompt_suffices,
    ),
    *_rows((_X,), on.LinePlaybackFinished, None, do.note_heard, do.record_playback_finished),
    *_rows(
        _UP,
        on.LineDigit,
        _X,
        do.succeed,
        do.record_digit,
        do.record_confirmed,
        do.hang_up,
        guard=when.completes_code,
    ),
    *_rows(
        _UP,
        on.LineDigit,
        _N,
        do.record_digit,
        do.record_opt_out,
        do.blame_opt_out,
        do.announce,
        guard=when.opts_out_and_hears_more,
    ),
    *_rows(
        _UP,
        on.LineDigit,
        _X,
        do.record_digit,
        do.record_opt_out,
        do.blame_opt_out,
        do.hang_up,
        guard=when.opts_out,
    ),
    *_rows(_UP, on.LineDigit, _T, do.record_digit, do.record_repeat, do.play_again, guard=when.asks_again),
    *_rows(_ANSWERED, on.LineDigit, None, do.record_digit),
    # The key was pressed while our BYE was on its way: it counts.
    *_rows(
        (_X,),
        on.LineDigit,
        None,
        do.succeed,
        do.record_digit,
        do.record_confirmed,
        guard=when.completes_code,
    ),
    *_rows(
        (_X,),
        on.LineDigit,
        None,
        do.record_digit,
        do.record_opt_out,
        do.blame_opt_out,
        guard=when.opts_out,
    ),
    *_rows((_X,), on.LineDigit, None, do.record_digit, guard=when.answered),
    *_rows((_L,), Timer.CONFIRMATION, _X, do.blame_no_code, do.hang_up),
    *_rows(_ANSWERED, Timer.DURATION, _X, do.blame_duration, do.record_limit_to_talk, do.hang_up),
    *_rows(_OURS, HangUpOrdered, _X, do.blame_order, do.hang_up),
    *_rows(
        _LIVE,
        ReleaseCause.REMOTE_HANGUP,
        _E,
        do.succeed,
        do.record_remote_hangup,
        do.end,
        guard=when.heard_enough,
    ),
    *_rows(_LIVE, ReleaseCause.REMOTE_HANGUP, _E, do.record_remote_hangup, do.end),
    *_rows(_LIVE, ReleaseCause.LOCAL_HANGUP, _E, do.succeed, do.end, guard=when.heard_enough),
    *_rows(_LIVE, ReleaseCause.LOCAL_HANGUP, _E, do.end),
    *_rows(_LIVE, ReleaseCause.REJECTED, _E, do.record_rejection, do.end),
    *_rows(_LIVE, ReleaseCause.NO_RESPONSE, _E, do.succeed, do.end, guard=when.heard_enough),
    *_rows(_LIVE, ReleaseCause.NO_RESPONSE, _E, do.end),
    *_rows(_LIVE, ReleaseCause.NO_MEDIA, _E, do.end),
    *_rows(_LIVE, ReleaseCause.NO_COMMON_CODEC, _E, do.end),
    *_rows(_OURS, ReleaseCause.FAULT, _E, do.succeed, do.interrupt, guard=when.heard_enough),
    *_rows(_OURS, ReleaseCause.FAULT, _E, do.interrupt),
    # The reason of the end was decided before the engine failed.
    *_rows((_X,), ReleaseCause.FAULT, _E, do.succeed, do.end, guard=when.heard_enough),
    *_rows((_X,), ReleaseCause.FAULT, _E, do.end),
    *_rows((_X,), Timer.RELEASE, _E, do.end),
)

_ROWS: dict[tuple[Phase, Trigger], list[Transition]] = {}
for _row in TRANSITIONS:
    _ROWS.setdefault((_row.phase, _row.trigger), []).append(_row)


def begin(rules: CallRules, at: int) -> tuple[Call, tuple[Effect, ...]]:
    """Return the call as it is placed at `at`."""
    return Call(rules), (StartTimer(Timer.SETUP, at + rules.setup_ms),)


def advance(call: Call, happened: CallInput) -> tuple[Call, tuple[Effect, ...]]:
    """Return the call after the input, and its effects in order."""
    for row in _ROWS.get((call.phase, trigger_of(happened)), ()):
        if row.guard is None or row.guard(call, happened):
            effects: list[Effect] = []
            for action in row.actions:
                call, asked = action(call, happened)
                effects.extend(asked)
            return replace(call, phase=row.target), tuple(effects)
    return call, ()
