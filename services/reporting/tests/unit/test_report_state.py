"""What a run is doing, and when it may be over."""

from datetime import timedelta

import pytest

from cato_contracts.api.rules.hours import TimeRestrictions
from cato_contracts.api.status import RunState
from cato_contracts.envelope import Envelope
from cato_contracts.messages.runs import (
    RunEnded,
    RunEnding,
    RunPaused,
    RunResumed,
    RunStarted,
    RunStationsDown,
    RunStationsUp,
    RunStopping,
    SubscriberResult,
    WaveEnded,
    WaveStarted,
)
from cato_reporting.domain.live_run import LiveRun
from cato_reporting.domain.report import live_report
from tests.support.synthetic_runs import BEGIN, synthetic_run

SNAPSHOT = synthetic_run(1, subscribers=10, waves=3).snapshot
RUN = SNAPSHOT.run_id
WAVE = WaveStarted(run_id=RUN, wave=1, subscriber_count=10)
WAVE_2 = WaveStarted(run_id=RUN, wave=2, subscriber_count=10)
NO_STATION = RunStationsDown(run_id=RUN)
WAVE_OVER = WaveEnded(run_id=RUN, wave=1, notified=0, failed=10)


def after(*bodies, snapshot=SNAPSHOT):
    """The run after these events, one second apart."""
    live = LiveRun(RUN)
    for place, body in enumerate((RunStarted(snapshot=snapshot), *bodies)):
        at = BEGIN + timedelta(seconds=place)
        live.apply(Envelope.wrap(body, event_id=str(place), occurred_at=at), (place, 0))
    return live


def with_settings(**values):
    return SNAPSHOT.model_copy(update={"settings": SNAPSHOT.settings.model_copy(update=values)})


@pytest.mark.parametrize(
    ("bodies", "state"),
    [
        ([], RunState.WAITING),
        ([WAVE], RunState.CALLING),
        ([WAVE, RunPaused(run_id=RUN)], RunState.PAUSED),
        ([WAVE, RunPaused(run_id=RUN), RunResumed(run_id=RUN)], RunState.CALLING),
        ([WAVE, NO_STATION], RunState.STATION_DOWN),
        ([WAVE, NO_STATION, RunStationsUp(run_id=RUN)], RunState.CALLING),
        ([WAVE, NO_STATION, RunPaused(run_id=RUN)], RunState.PAUSED),
        ([WAVE, NO_STATION, RunPaused(run_id=RUN), RunResumed(run_id=RUN)], RunState.CALLING),
        ([WAVE, NO_STATION, WAVE_OVER, WAVE_2], RunState.CALLING),
        ([WAVE, NO_STATION, RunStopping(run_id=RUN)], RunState.STOPPING),
        ([WAVE, NO_STATION, RunEnded(run_id=RUN, ending=RunEnding.STATION_DOWN)], RunState.STOPPED),
        ([WAVE, WAVE_OVER], RunState.BETWEEN_WAVES),
        ([WAVE, WAVE_OVER, WaveStarted(run_id=RUN, wave=2, subscriber_count=3)], RunState.CALLING),
        ([WAVE, RunStopping(run_id=RUN)], RunState.STOPPING),
        ([WAVE, RunPaused(run_id=RUN), RunStopping(run_id=RUN)], RunState.STOPPING),
        ([WAVE, RunEnded(run_id=RUN, ending=RunEnding.FINISHED)], RunState.FINISHED),
        ([WAVE, RunStopping(run_id=RUN), RunEnded(run_id=RUN, ending=RunEnding.STOPPED)], RunState.STOPPED),
        ([WAVE, RunEnded(run_id=RUN, ending=RunEnding.EXPIRED)], RunState.STOPPED),
    ],
)
def test_the_state_follows_the_life_of_the_run(bodies, state):
    report = live_report(after(*bodies), SNAPSHOT, BEGIN + timedelta(seconds=30))
    assert report.state is state
    assert report.active_phase is (state not in {RunState.FINISHED, RunState.STOPPED})


@pytest.mark.parametrize("ending", list(RunEnding))
def test_a_run_that_ended_early_says_why_and_others_have_no_such_field(ending):
    ended = RunEnded(run_id=RUN, ending=ending)
    shown = live_report(after(WAVE, ended), SNAPSHOT, BEGIN).model_dump(mode="json", by_alias=True)
    assert shown.get("endReason") == (None if ending is RunEnding.FINISHED else ending.value)
    assert ("endReason" in shown) is (ending is not RunEnding.FINISHED)


def test_outside_the_hours_a_run_that_waits_for_a_station_is_out_of_hours_s3():
    closed = with_settings(time_restrictions=TimeRestrictions(from_hour=18, till_hour=20))
    assert live_report(after(WAVE, NO_STATION), closed, BEGIN).state is RunState.OUT_OF_HOURS


def test_the_later_of_pause_and_resume_counts_in_any_order_of_arrival():
    live = after(WAVE)
    live.apply(Envelope.wrap(RunResumed(run_id=RUN), event_id="r", occurred_at=BEGIN), (20, 0))
    live.apply(Envelope.wrap(RunPaused(run_id=RUN), event_id="p", occurred_at=BEGIN), (10, 0))
    assert live_report(live, SNAPSHOT, BEGIN).state is RunState.CALLING


def test_outside_the_hours_a_run_is_out_of_hours_unless_it_waits_or_is_paused():
    # 9:00 UTC is noon in Moscow.
    closed = with_settings(time_restrictions=TimeRestrictions(from_hour=18, till_hour=20))
    now = BEGIN + timedelta(seconds=30)
    assert live_report(after(WAVE, snapshot=closed), closed, now).state is RunState.OUT_OF_HOURS
    assert live_report(after(snapshot=closed), closed, now).state is RunState.OUT_OF_HOURS
    assert live_report(after(RunPaused(run_id=RUN)), closed, now).state is RunState.PAUSED
    later = closed.model_copy(update={"start_at": now + timedelta(days=1)})
    assert live_report(after(snapshot=later), later, now).state is RunState.WAITING


def test_an_end_is_forecast_from_the_pace_of_the_wave():
    single = with_settings(attempt_count=1)
    results = [
        SubscriberResult(
            run_id=RUN, no=no, wave=1, notified=True, reason="answered", call_id=None, number=None
        )
        for no in range(4)
    ]
    live = after(WAVE, *results, snapshot=single)
    # The wave began at second 1; 4 of 10 took 20 seconds.
    report = live_report(live, single, BEGIN + timedelta(seconds=21))
    assert report.eta == BEGIN + timedelta(seconds=51)
    assert live_report(after(WAVE), single, BEGIN + timedelta(seconds=21)).eta is None
