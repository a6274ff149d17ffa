"""How many calls at once are allowed of a machine that has fallen behind."""

from hypothesis import given
from hypothesis import strategies as st

from cato_dialer.dial.domain.capacity.overload_control import (
    MEDIA_LATE_MS,
    SIGNALLING_LATE_MS,
    OverloadControl,
)


def observe(pacing, *, media=0, loop=0, up=100, now=0.0):
    pacing.observe(media_lag_ms=media, loop_lag_ms=loop, up=up, now=now)


def test_a_punctual_engine_is_not_bounded():
    pacing = OverloadControl()
    observe(pacing, media=MEDIA_LATE_MS, loop=SIGNALLING_LATE_MS)
    assert pacing.bounded(500) == 500


def test_a_late_engine_is_bounded_below_what_is_up():
    for lateness in ({"media": MEDIA_LATE_MS + 1}, {"loop": SIGNALLING_LATE_MS + 1}):
        pacing = OverloadControl()
        observe(pacing, **lateness)
        assert pacing.bounded(500) == 90


def test_the_bound_falls_further_while_it_does_not_help():
    pacing = OverloadControl()
    for second in range(4):
        observe(pacing, media=200, up=100 - second, now=second)
    assert pacing.bounded(500) == 64


def test_the_bound_is_moved_once_a_second_at_most():
    pacing = OverloadControl()
    for moment in range(9):
        observe(pacing, media=200, now=1 + moment / 10)
    assert pacing.bounded(500) == 90


def test_the_bound_rises_slowly_and_goes_when_it_no_longer_binds():
    pacing = OverloadControl()
    observe(pacing, media=200, up=10)
    rising = []
    for second in range(1, 5):
        observe(pacing, now=second)
        rising.append(pacing.bounded(12))
    assert rising == [10, 11, 12, 12]
    assert pacing.limit is None


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 1_000), st.integers(0, 300)), max_size=60))
def test_one_call_is_always_allowed_and_never_more_than_there_are_channels(seen):
    pacing = OverloadControl()
    for second, (media, loop, up) in enumerate(seen):
        observe(pacing, media=media, loop=loop, up=up, now=second)
        assert 1 <= pacing.bounded(100) <= 100
    assert pacing.bounded(0) == 0
