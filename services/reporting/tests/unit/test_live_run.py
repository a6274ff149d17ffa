"""The fold of a run: the same report in any order, and sums that hold after every event."""

import random

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
