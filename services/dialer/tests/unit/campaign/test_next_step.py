"""The next step of a run: given its decisions, its results and the time."""

from datetime import timedelta
from typing import Any

import pytest

from cato_contracts.errors import ConflictError
from cato_contracts.messages.jobs import RunMode
from cato_contracts.messages.runs import RunEnding
from cato_dialer.campaign.domain.run.next_step import (
    AwaitCallsDrained,
    BeginWave,
    CloseWave,
    Dial,
    EndRun,
    Expire,
    FailRemaining,
    Release,
    Wait,
    dispatch_state,
    next_step,
)
from cato_dialer.campaign.domain.run.progress import Progress
from cato_dialer.campaign.domain.run.run import Run
from services.dialer.tests.support.campaign_world import NOW, snapshot


def a_run(count: int = 3, **changes: Any) -> Run:
    return Run.begin(snapshot(count, **changes), timestamp=NOW)


def in_wave(run: Run, wave: int = 1) -> Run:
    for before in range(1, wave):
        run.begin_wave(before, 3, timestamp=NOW)
        run.close_wave(before, 0, 3, timestamp=NOW)
    run.begin_wave(wave, 3, timestamp=NOW)
    return run


def progress(run: Run, *results: tuple[int, int, bool]) -> Progress:
    folded = Progress(run.snapshot.subscriber_count)
    folded.turn_to(run.wave)
    for no, wave, notified in results:
        folded.record(no, wave, notified=notified, sequence=1)
    return folded


def step(run: Run, *results: tuple[int, int, bool], at=NOW, drained: bool = False):
    return next_step(run, progress(run, *results), at, drained=drained)


def test_the_first_wave_has_every_subscriber():
    assert step(a_run()) == BeginWave(1, 3)


def test_a_run_waits_for_its_start_or_its_earlier_expiry():
    start_at = NOW + timedelta(hours=2)
    assert step(a_run(start_at=start_at)) == Wait(start_at)
    expires_at = NOW + timedelta(hours=1)
    assert step(a_run(start_at=start_at, expires_at=expires_at)) == Wait(expires_at)
    assert step(a_run(start_at=start_at, expires_at=expires_at), at=expires_at) == Expire()


def test_a_run_without_subscribers_ends_before_its_start_time():
    assert step(a_run(0, start_at=NOW + timedelta(days=1))) == EndRun(RunEnding.FINISHED)


def test_a_wave_is_closed_when_every_subscriber_has_a_result():
    run = in_wave(a_run())
    assert step(run, (0, 1, True), (2, 1, False)) == Dial(1, None)
    assert step(run, (0, 1, True), (2, 1, False), (1, 1, False)) == CloseWave(1, 1, 2)


def test_results_of_an_earlier_wave_do_not_count_in_a_later_one():
    run = in_wave(a_run(attempts=3), wave=2)
    assert step(run, (0, 1, False), (1, 1, False), (2, 1, False)) == Dial(2, None)
    assert step(run, (0, 2, False), (1, 2, False), (2, 1, True)) == CloseWave(2, 1, 2)


def test_the_next_wave_begins_after_the_delay_with_the_remaining_subscribers():
    run = in_wave(a_run(delay_s=60))
    run.close_wave(1, 1, 2, timestamp=NOW)
    results = ((0, 1, True), (1, 1, False), (2, 1, False))
    due = NOW + timedelta(seconds=60)
    assert step(run, *results) == Wait(due)
    assert step(run, *results, at=due) == BeginWave(2, 2)


@pytest.mark.parametrize("reached", [True, False])
def test_a_run_without_a_further_wave_ends_when_its_calls_have_ended(reached):
    run = in_wave(a_run(attempts=5 if reached else 1))
    run.close_wave(1, 3, 0, timestamp=NOW)
    results = [(no, 1, reached) for no in range(3)]
    assert step(run, *results) == AwaitCallsDrained()
    assert step(run, *results, drained=True) == EndRun(RunEnding.FINISHED)


def test_a_paused_run_closes_its_wave_and_begins_no_other():
    run = in_wave(a_run())
    run.pause(hangup=False, timestamp=NOW)
    results = [(no, 1, False) for no in range(3)]
    assert step(run, *results) == CloseWave(1, 0, 3)
    run.close_wave(1, 0, 3, timestamp=NOW)
    assert step(run, *results) == Wait(None)
    run.resume(timestamp=NOW)
    assert step(run, *results) == BeginWave(2, 3)


def test_a_stopped_run_ends_when_its_calls_have_ended():
    run = in_wave(a_run())
    run.stop(hangup=True, timestamp=NOW)
    assert step(run) == AwaitCallsDrained()
    assert step(run, drained=True) == EndRun(RunEnding.STOPPED)
    run.end(RunEnding.STOPPED, timestamp=NOW)
    assert step(run) == Release()


def test_a_run_stopped_before_its_first_wave_ends_at_once():
    run = a_run(start_at=NOW + timedelta(days=1))
    run.stop(hangup=False, timestamp=NOW)
    assert step(run) == EndRun(RunEnding.STOPPED)


def test_an_expired_run_fails_every_remaining_subscriber():
    run = in_wave(a_run(expires_at=NOW + timedelta(hours=1)))
    assert step(run, (0, 1, True)) == Dial(1, NOW + timedelta(hours=1))
    assert step(run, (0, 1, True), at=NOW + timedelta(hours=1)) == Expire()
    run.expire(timestamp=NOW)
    assert step(run, (0, 1, True)) == AwaitCallsDrained()
    assert step(run, (0, 1, True), drained=True) == FailRemaining(1)
    assert step(run, *[(no, 1, no == 0) for no in range(3)], drained=True) == CloseWave(1, 1, 2)
    run.close_wave(1, 1, 2, timestamp=NOW)
    assert step(run, (0, 1, True), drained=True) == EndRun(RunEnding.EXPIRED)


def test_the_dispatch_state_follows_the_decisions_of_the_run():
    run = a_run(priority=7)
    assert dispatch_state(run) is None
    in_wave(run)
    shown = dispatch_state(run)
    assert shown is not None
    assert (shown.mode, shown.priority, shown.hangup) == (RunMode.CALLING, 7, False)
    run.pause(hangup=True, timestamp=NOW)
    shown = dispatch_state(run)
    assert shown is not None
    assert (shown.mode, shown.hangup) == (RunMode.PAUSED, True)
    run.resume(timestamp=NOW)
    run.stop(hangup=False, timestamp=NOW)
    shown = dispatch_state(run)
    assert shown is not None
    assert (shown.mode, shown.hangup) == (RunMode.STOPPING, False)
    run.end(RunEnding.STOPPED, timestamp=NOW)
    assert dispatch_state(run) is None


def test_decisions_that_do_not_apply_are_refused():
    run = a_run()
    with pytest.raises(ConflictError):
        run.resume(timestamp=NOW)
    run.pause(hangup=False, timestamp=NOW)
    with pytest.raises(ConflictError):
        run.pause(hangup=False, timestamp=NOW)
    run.pause(hangup=True, timestamp=NOW)
    run.stop(hangup=False, timestamp=NOW)
    for refused in (
        lambda: run.stop(hangup=False, timestamp=NOW),
        lambda: run.pause(hangup=False, timestamp=NOW),
        lambda: run.resume(timestamp=NOW),
        lambda: run.begin_wave(1, 3, timestamp=NOW),
        lambda: run.expire(timestamp=NOW),
    ):
        with pytest.raises(ConflictError):
            refused()
    run.stop(hangup=True, timestamp=NOW)
    run.end(RunEnding.STOPPED, timestamp=NOW)
    with pytest.raises(ConflictError):
        run.stop(hangup=True, timestamp=NOW)


def test_a_wave_out_of_order_is_refused():
    run = in_wave(a_run())
    for wave in (1, 2, 3):
        with pytest.raises(ConflictError):
            run.begin_wave(wave, 3, timestamp=NOW)
    with pytest.raises(ConflictError):
        run.close_wave(2, 0, 3, timestamp=NOW)


def test_results_of_unknown_subscribers_and_waves_are_refused():
    for no, wave in ((3, 1), (-1, 1), (0, 0), (0, 70_000)):
        with pytest.raises(ValueError, match="there is no"):
            Progress(3).record(no, wave, notified=True, sequence=1)


def test_repeated_messages_of_a_commit_are_equal():
    run = in_wave(a_run())
    assert run.unpublished() == run.unpublished()
    ids = [message["event_id"] for message in run.unpublished()]
    assert ids == [f"{run.id}:life:1", f"{run.id}:life:2"]
