"""The fold of a run: the same report in any order, and sums that hold after every event."""

import random
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from cato_reporting.domain.live_run import LiveRun
from cato_reporting.domain.live_runs import LiveRuns
from cato_reporting.domain.parsed_message import parse_message
from cato_reporting.domain.report import live_report
from tests.support.synthetic_runs import BEGIN, naive_numbers, synthetic_run

runs = st.builds(
    synthetic_run,
    st.integers(0, 10**9),
    subscribers=st.integers(1, 6),
    waves=st.integers(1, 3),
    lost_ends=st.booleans(),
)


def parsed_messages(run):
    """The position and the parsed form of each message."""
    return [
        (position, parse_message(sent.subject, sent.data))
        for position, sent in enumerate(run.messages, start=1)
    ]


def folded(run, messages) -> LiveRun:
    live = LiveRuns()
    for position, parsed in messages:
        live.apply(position, parsed)
    return live.runs[run.run_id]


def report_of(run, live):
    return live_report(live, run.snapshot, BEGIN)


def assert_sums_hold(report):
    assert report.calls_total == report.calls_succeeded + report.calls_failed + report.calls_in_progress
    assert report.calls_in_progress == report.calls_ringing + report.calls_talking
    assert report.subscriber_count == (
        report.subscriber_notified + report.subscriber_failed + report.subscriber_not_yet_notified
    )
    counts = report.model_dump(include={name for name in type(report).model_fields if "_" in name})
    assert all(count >= 0 for count in counts.values() if isinstance(count, int))


@settings(max_examples=60, deadline=None)
@given(run=runs, seed=st.integers(0, 10**9))
def test_shuffled_and_repeated_events_give_the_report_of_the_clean_order(run, seed):
    clean = parsed_messages(run)
    rng = random.Random(seed)
    disturbed = clean + rng.choices(clean, k=len(clean) // 2)
    rng.shuffle(disturbed)
    assert report_of(run, folded(run, disturbed)) == report_of(run, folded(run, clean))


@settings(max_examples=40, deadline=None)
@given(run=runs, seed=st.integers(0, 10**9))
def test_every_step_of_any_order_equals_a_count_over_all_events_so_far(run, seed):
    clean = parsed_messages(run)
    beginning, rest = clean[:1], clean[1:]
    random.Random(seed).shuffle(rest)
    live = LiveRuns()
    seen = []
    for position, parsed in beginning + rest:
        live.apply(position, parsed)
        seen.extend(parsed.events)
        report = report_of(run, live.runs[run.run_id])
        assert_sums_hold(report)
        naive = naive_numbers(run, seen)
        assert report.model_dump(include=set(naive)) == naive


@settings(max_examples=30, deadline=None)
@given(run=runs, seed=st.integers(0, 10**9))
def test_redelivery_from_any_point_changes_nothing(run, seed):
    clean = parsed_messages(run)
    point = random.Random(seed).randrange(len(clean))
    again = clean + clean[point:]
    assert report_of(run, folded(run, again)) == report_of(run, folded(run, clean))


def test_subscribers_whom_a_rule_decided_are_counted_by_reason_within_the_failed_ones():
    run_id = synthetic_run(1, subscribers=4, waves=2).run_id
    live = LiveRun(run_id, snapshot=synthetic_run(1, subscribers=4, waves=2).snapshot)
    live.note_outcome(0, 1, reason="no-number-left")
    live.note_outcome(1, 1, reason="busy")
    assert live.failed_by_rule == {(1, "no-number-left"): 1}
    live.note_outcome(0, 2, reason="retry-stopped")
    live.note_outcome(1, 2, reason="no-number-left")
    live.note_outcome(2, 2, reason="busy")
    report = live_report(live, live.snapshot, BEGIN)
    assert report.subscriber_failed == 3
    assert report.subscriber_failed_by_rule == {"no-number-left": 1, "retry-stopped": 1}
    live.note_outcome(1, 2, reached_at=BEGIN)
    assert live_report(live, live.snapshot, BEGIN).subscriber_failed_by_rule == {"retry-stopped": 1}
    live.note_outcome(3, 2, reason="opted-out")
    report = live_report(live, live.snapshot, BEGIN)
    assert report.subscriber_failed_by_rule == {"opted-out": 1, "retry-stopped": 1}


def test_the_times_to_reach_people_are_those_of_the_earliest_results():
    run = synthetic_run(1, subscribers=10, waves=1)
    begun = parsed_messages(run)[0][1].events[0]
    start = begun.occurred_at
    live = LiveRun(run.run_id)
    live.note_outcome(0, 1, reached_at=start + timedelta(seconds=4.7))
    live.apply(begun, (1, 0))
    assert live.started_at == start
    report = live_report(live, run.snapshot, BEGIN)
    assert (report.t50, report.t90) == (4, 4)
    for no in range(1, 10):
        live.note_outcome(no, 1, reason="busy")
        live.note_outcome(no, 1, reached_at=start + timedelta(seconds=100))
        live.note_outcome(no, 1, reached_at=start + timedelta(seconds=10 * no))
        live.note_outcome(no, 1, reached_at=start + timedelta(seconds=10 * no + 5))
    report = live_report(live, run.snapshot, BEGIN)
    assert (report.subscriber_notified, report.t50, report.t90) == (10, 40, 80)


def test_nobody_who_was_reached_has_no_time():
    run = synthetic_run(1, subscribers=2, waves=1)
    live = LiveRun(run.run_id, snapshot=run.snapshot, started_at=BEGIN)
    live.note_outcome(0, 1, reason="busy")
    report = live_report(live, run.snapshot, BEGIN)
    assert (report.t50, report.t90) == (None, None)
