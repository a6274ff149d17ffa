"""A run's rules and transitions in words, for documents.

The transitions are found by living through runs: in every state everything is tried that a person may decide
and everything that the rules come to, with every progress of a wave and at every time that matters.
"""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product
from uuid import UUID

from cato_contracts.errors import ConflictError
from cato_contracts.objects import Bucket, ObjectRef
from cato_contracts.resources import NotificationSettings, SuccessCondition
from cato_contracts.runs import Prompt, RunSnapshot
from cato_dialer.campaign.domain.run.next_step import (
    RULES,
    BeginWave,
    CloseWave,
    EndRun,
    Expire,
    Rule,
    Step,
)
from cato_dialer.campaign.domain.run.progress import Progress
from cato_dialer.campaign.domain.run.run import Run
from cato_dialer.campaign.domain.run.run_conditions import Situation

_NOBODY = UUID(int=0)
_START = datetime(2026, 1, 1, tzinfo=UTC)
_DELAY_S = 600
_TIMES = tuple(_START + timedelta(hours=hours) for hours in (0, 2, 4, 9))
_EXPIRY = _TIMES[-1]
_PEOPLE = 2
_WAVES = 2


@dataclass(frozen=True, slots=True, order=True)
class RunTransition:
    """`by` is a person's command, or the rule that came to it."""

    state: str
    by: str
    event: str
    target: str


@dataclass(frozen=True, slots=True)
class Life:
    """All that a run can live through."""

    states: tuple[str, ...]
    transitions: tuple[RunTransition, ...]
    activities: dict[str, tuple[str, ...]]
    """By state: the rules that may apply and change nothing."""


def described() -> dict[str, object]:
    """Return states, transitions and rules as plain JSON values."""
    life = explored()
    return {
        "states": list(life.states),
        "initial": life.states[0],
        "final": "ended",
        "transitions": [
            {"state": each.state, "by": each.by, "event": each.event, "target": each.target}
            for each in life.transitions
        ],
        "activities": {state: list(rules) for state, rules in life.activities.items()},
        "rules": [rule.described() for rule in RULES],
    }


def meanings() -> dict[str, str]:
    """Return what the conditions of the rules mean."""
    return {
        condition.__name__: (condition.__doc__ or "").splitlines()[0]
        for rule in RULES
        for condition in rule.conditions
    }


def state_of(run: Run) -> str:
    """Return the name of the state that a run is in, whatever wave it is."""
    if run.ended:
        return "ended"
    closed = "between waves" if run.wave else "waiting"
    state = "calling" if run.wave_open else closed
    if run.ending is not None:
        return f"{state}, {run.ending.value.lower()}"
    return f"{state}, paused" if run.paused else state


def explored() -> Life:
    """Follow everything that can happen until nothing new does."""
    waiting = [Run.begin(_snapshot(people), timestamp=_START) for people in (_PEOPLE, 0)]
    seen = {_key(begun) for begun in waiting}
    states = {state_of(begun): None for begun in waiting}
    transitions: dict[RunTransition, None] = {}
    activities: dict[str, dict[str, None]] = {}
    while waiting:
        run = waiting.pop(0)
        for by, after in _outcomes(run):
            if after.version == run.version:
                activities.setdefault(state_of(run), {})[by] = None
                continue
            event = str(getattr(type(after.pending_events[-1]), "TOPIC", ""))
            transitions[RunTransition(state_of(run), by, event, state_of(after))] = None
            states[state_of(after)] = None
            if _key(after) not in seen:
                seen.add(_key(after))
                waiting.append(after)
    order = list(states)
    return Life(
        states=tuple(order),
        transitions=tuple(sorted(transitions, key=lambda each: (order.index(each.state), each))),
        activities={state: tuple(rules) for state, rules in activities.items()},
    )


def _outcomes(run: Run) -> Iterator[tuple[str, Run]]:
    for command, decide in _COMMANDS.items():
        after = copy.deepcopy(run)
        try:
            decide(after)
        except ConflictError:
            continue
        yield command, after
    for progress, now, silent in product(_progresses(run), _TIMES, (False, True)):
        situation = Situation(run, progress, now, silent)
        rule = _first(situation)
        after = copy.deepcopy(run)
        _carry_out(rule.step(situation), after, now)
        yield rule.step.__name__, after


def _first(situation: Situation) -> Rule:
    return next(rule for rule in RULES if all(condition(situation) for condition in rule.conditions))


_COMMANDS: dict[str, Callable[[Run], None]] = {
    "pause": lambda run: run.pause(hangup=False, timestamp=_START),
    "pause and hang up": lambda run: run.pause(hangup=True, timestamp=_START),
    "resume": lambda run: run.resume(timestamp=_START),
    "stop": lambda run: run.stop(hangup=False, timestamp=_START),
    "stop and hang up": lambda run: run.stop(hangup=True, timestamp=_START),
}


def _carry_out(step: Step, run: Run, now: datetime) -> None:
    match step:
        case BeginWave(wave, size):
            run.begin_wave(wave, size, timestamp=now)
        case CloseWave(wave, notified, failed):
            run.close_wave(wave, notified, failed, timestamp=now)
        case Expire():
            run.expire(timestamp=now)
        case EndRun(ending):
            run.end(ending, timestamp=now)
        case _:
            pass


def _progresses(run: Run) -> Iterator[Progress]:
    """Yield progress without results in the wave, with all of them failed, with everybody reached."""
    for results in ((), (False, False), (True, True)):
        progress = Progress(run.snapshot.subscriber_count)
        progress.turn_to(run.wave)
        if run.wave:
            for no, notified in enumerate(results[: run.snapshot.subscriber_count]):
                progress.record(no, run.wave, notified=notified, sequence=1)
        if run.wave_open or results or not run.wave:
            yield progress


def _key(run: Run) -> tuple[object, ...]:
    people = run.snapshot.subscriber_count
    return (people, state_of(run), run.wave, run.hangup, run.wave_ended_at)


def _snapshot(people: int) -> RunSnapshot:
    ref = ObjectRef(bucket=Bucket.LISTS, name="list", size=0)
    settings = NotificationSettings(
        id=_NOBODY,
        user_id="user",
        name="settings",
        attempt_count=_WAVES,
        attempt_delay_s=_DELAY_S,
        success_condition=SuccessCondition.PICKUP_PHONE,
    )
    return RunSnapshot(
        run_id=_NOBODY,
        task_id=_NOBODY,
        task_name="task",
        user_id="user",
        settings=settings,
        time_zone="UTC",
        prompt=Prompt(audio=ref, duration_ms=1000),
        subscribers=ref,
        subscriber_count=people,
        priority=0,
        start_at=_TIMES[1],
        expires_at=_EXPIRY,
    )
