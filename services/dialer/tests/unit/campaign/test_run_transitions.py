"""The tables of a run list everything that runs do, and nothing else."""

import copy
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import product
from typing import NamedTuple

import pytest

from cato_contracts.errors import ConflictError
from cato_contracts.messages.runs import ApprovalOrder
from cato_dialer.campaign.domain.run.next_step import (
    RULES,
    AwaitStation,
    BeginWave,
    CloseWave,
    EndRun,
    Expire,
    ExpireApproval,
    GiveUp,
    GoOn,
    Step,
    rule_for,
)
from cato_dialer.campaign.domain.run.progress import Progress
from cato_dialer.campaign.domain.run.run import Run
from cato_dialer.campaign.domain.run.run_conditions import RunInputs
from cato_dialer.campaign.domain.run.transitions import ACTIVITIES, TRANSITIONS, Mode, Phase
from services.dialer.tests.support.campaign_world import NOW, snapshot

START, SECOND_WAVE, EXPIRY = (NOW + timedelta(hours=hours) for hours in (2, 4, 9))
STATION_WAIT = timedelta(hours=1)
TIMES = (NOW, START, SECOND_WAVE, EXPIRY)
COMMANDS: dict[str, Callable[[Run], None]] = {
    "pause": lambda run: run.pause(hangup=False, timestamp=NOW),
    "pause_and_hang_up": lambda run: run.pause(hangup=True, timestamp=NOW),
    "resume": lambda run: run.resume(timestamp=NOW),
    "stop": lambda run: run.stop(hangup=False, timestamp=NOW),
    "approve": lambda run: run.approve(by="head", comment=None, timestamp=NOW),
    "reject": lambda run: run.reject(by="head", comment=None, timestamp=NOW),
    "stop_and_hang_up": lambda run: run.stop(hangup=True, timestamp=NOW),
}


class Seen(NamedTuple):
    """All decisions and actions of the runs, by state."""

    transitions: set[tuple[Phase, Mode, str, str, Phase, Mode]]
    activities: set[tuple[Phase, Mode, str]]


def carry_out(step: Step, run: Run, now) -> None:
    match step:
        case BeginWave(wave, size):
            run.begin_wave(wave, size, timestamp=now)
        case CloseWave(wave, notified, failed):
            run.close_wave(wave, notified, failed, timestamp=now)
        case Expire():
            run.expire(timestamp=now)
        case ExpireApproval():
            run.expire_approval(timestamp=now)
        case AwaitStation():
            run.await_station(timestamp=now)
        case GoOn():
            run.go_on(timestamp=now)
        case GiveUp():
            run.give_up(timestamp=now)
        case EndRun(ending):
            run.end(ending, timestamp=now)
        case _:
            pass


def progresses(run: Run) -> Iterator[Progress]:
    """Yield progress without results in the wave, with only failures, with every subscriber notified."""
    count = run.snapshot.subscriber_count
    for results in ((), (False, False), (True, True)) if run.wave else ((),):
        progress = Progress(count)
        progress.turn_to(run.wave)
        for no, notified in enumerate(results[:count]):
            progress.record(no, run.wave, notified=notified, sequence=1)
        if run.wave_open or results or not run.wave:
            yield progress


def outcomes(run: Run) -> Iterator[tuple[str, Run]]:
    for command, decide in COMMANDS.items():
        after = copy.deepcopy(run)
        try:
            decide(after)
        except ConflictError:
            continue
        yield command, after
    for progress, now, drained, no_station in product(
        progresses(run), TIMES, (False, True), (None, False, True)
    ):
        inputs = RunInputs(run, progress, now, drained, no_station, STATION_WAIT)
        rule = rule_for(inputs)
        after = copy.deepcopy(run)
        carry_out(rule.step(inputs), after, now)
        yield rule.step.__name__, after


def key(run: Run) -> tuple[object, ...]:
    needs = run.snapshot.approval is not None
    return needs, run.snapshot.subscriber_count, run.phase, run.mode, run.wave, run.hangup, run.wave_ended_at


@pytest.fixture(scope="module")
def seen() -> Seen:
    """Follow every run of two subscribers, or none, through everything that can happen."""
    found = Seen(set(), set())
    waiting = [
        Run.begin(
            snapshot(count, delay_s=600, start_at=START, expires_at=EXPIRY, approval=approval), timestamp=NOW
        )
        for count in (2, 0)
        for approval in (None, ApprovalOrder(requested_by="user", until=SECOND_WAVE))
    ]
    known = {key(run) for run in waiting}
    while waiting:
        run = waiting.pop()
        for by, after in outcomes(run):
            if after.version == run.version:
                found.activities.add((run.phase, run.mode, by))
                continue
            event = type(after.pending_events[-1]).TOPIC
            found.transitions.add((run.phase, run.mode, by, event, after.phase, after.mode))
            if key(after) not in known:
                known.add(key(after))
                waiting.append(after)
    return found


def test_the_table_of_transitions_lists_exactly_the_transitions_of_runs(seen):
    assert seen.transitions == {
        (phase, mode, row.by, row.event, row.phase or phase, row.mode or mode)
        for row in TRANSITIONS
        for phase in row.phases
        for mode in row.modes
    }


def test_the_table_of_activities_lists_exactly_the_activities_of_runs(seen):
    assert seen.activities == {
        (phase, mode, row.by) for row in ACTIVITIES for phase in row.phases for mode in row.modes
    }


def test_every_rule_is_in_a_table():
    assert {rule.step.__name__ for rule in RULES} <= {row.by for row in (*TRANSITIONS, *ACTIVITIES)}
