"""The bound on calls at once while the engine is late."""

from hypothesis import given
from hypothesis import strategies as st

from cato_dialer.dial.domain.capacity.overload_control import (
    MEDIA_LATE_MS,
    SIGNALLING_LATE_MS,
    OverloadControl,
)


def observe(pacing, *, media=0, loop=0, up=100, now=0.0):
    pacing.observe(media_lag_ms=media, loop_lag_ms=loop, up=up, now=now)


def test_an_engine_in_time_has_no_bound():
    pacing = OverloadControl()
    observe(pacing, media=MEDIA_LATE_MS, loop=SIGNALLING_LATE_MS)
    assert pacing.bounded(500) == 500


def test_a_late_engine_is_bounded_below_the_calls_that_are_up():
    for lateness in ({"media": MEDIA_LATE_MS + 1}, {"loop": SIGNALLING_LATE_MS + 1}):
        pacing = OverloadControl()
        observe(pacing, **lateness)
        assert pacing.bounded(500) == 90


def test_the_bound_falls_while_the_engine_stays_late():
    pacing = OverloadControl()
    for second in range(4):
        observe(pacing, media=200, up=100 - second, now=second)
    assert pacing.bounded(500) == 64


def test_the_bound_changes_at_most_once_a_second():
    pacing = OverloadControl()
    for moment in range(9):
        observe(pacing, media=200, now=1 + moment / 10)
    assert pacing.bounded(500) == 90


def test_the_bound_rises_slowly_and_is_dropped_at_the_capacity():
    pacing = OverloadControl()
    observe(pacing, media=200, up=10)
    rising = []
    for second in range(1, 5):
        observe(pacing, now=second)
        rising.append(pacing.bounded(12))
    assert rising == [10, 11, 12, 12]
    assert pacing.limit is None


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 1_000), st.integers(0, 300)), max_size=60))
def test_the_bound_is_between_one_call_and_the_capacity(seen):
    pacing = OverloadControl()
    for second, (media, loop, up) in enumerate(seen):
        observe(pacing, media=media, loop=loop, up=up, now=second)
        assert 1 <= pacing.bounded(100) <= 100
    assert pacing.bounded(0) == 0
