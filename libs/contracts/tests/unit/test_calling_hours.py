from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cato_contracts.api.calling_hours import may_call, next_change
from cato_contracts.api.resources import SettingsSpec, SuccessCondition
from cato_contracts.api.rules.hours import TimeRestrictions

BERLIN = "Europe/Berlin"


def settings(window=None, weekdays=None):
    restrictions = None
    if window is not None:
        (from_hour, from_min), (till_hour, till_min) = window
        restrictions = TimeRestrictions(
            from_hour=from_hour, from_min=from_min, till_hour=till_hour, till_min=till_min
        )
    return SettingsSpec(
        name="hours",
        attempt_count=1,
        success_condition=SuccessCondition.PICKUP_PHONE,
        time_restrictions=restrictions,
        weekdays=weekdays,
    )


def berlin(text):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(BERLIN))


@pytest.mark.parametrize(
    ("window", "weekdays", "at", "allowed"),
    [
        (None, None, "2026-11-23T03:00", True),
        (((8, 30), (18, 30)), None, "2026-11-23T08:29:59", False),
        (((8, 30), (18, 30)), None, "2026-11-23T08:30", True),
        (((8, 30), (18, 30)), None, "2026-11-23T18:29:59", True),
        (((8, 30), (18, 30)), None, "2026-11-23T18:30", False),
        (((8, 0), (0, 0)), None, "2026-11-23T23:59:59", True),
        (((8, 0), (0, 0)), None, "2026-11-24T00:00", False),
        (((22, 0), (6, 0)), None, "2026-11-23T23:00", True),
        (((22, 0), (6, 0)), None, "2026-11-24T05:59", True),
        (((22, 0), (6, 0)), None, "2026-11-24T06:00", False),
        (((7, 0), (7, 0)), None, "2026-11-24T06:00", True),
        (None, ["SAT"], "2026-11-28T00:00", True),
        (None, ["SAT"], "2026-11-29T00:00", False),
        (((22, 0), (6, 0)), ["SAT"], "2026-11-29T05:00", True),  # opened on Saturday
        (((22, 0), (6, 0)), ["SAT"], "2026-11-28T05:00", False),  # opened on Friday
    ],
)
def test_calls_may_start_only_in_the_window(window, weekdays, at, allowed):
    assert may_call(settings(window, weekdays), BERLIN, berlin(at)) is allowed


def test_a_window_in_the_hour_that_spring_skips_never_opens_that_day():
    window = settings(((2, 0), (3, 0)))
    midnight = berlin("2026-03-29T00:00")
    minutes = [midnight.astimezone(UTC) + timedelta(minutes=n) for n in range(23 * 60)]
    assert not any(may_call(window, BERLIN, minute) for minute in minutes)


def test_a_window_in_the_hour_that_autumn_repeats_is_open_twice_as_long():
    window = settings(((2, 0), (3, 0)))
    midnight = berlin("2026-10-25T00:00")
    minutes = [midnight.astimezone(UTC) + timedelta(minutes=n) for n in range(25 * 60)]
    assert sum(may_call(window, BERLIN, minute) for minute in minutes) == 120


def test_without_restrictions_there_is_no_next_change():
    assert next_change(settings(), BERLIN, berlin("2026-11-23T03:00")) is None
    assert next_change(settings(((5, 0), (5, 0))), BERLIN, berlin("2026-11-23T03:00")) is None


clock = st.tuples(st.integers(0, 23), st.sampled_from([0, 15, 30, 59]))
instants = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))
days = st.none() | st.lists(
    st.sampled_from(["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"]), min_size=1, max_size=7
)


@given(
    window=st.none() | st.tuples(clock, clock),
    weekdays=days,
    now=instants,
    zone=st.sampled_from([BERLIN, "America/St_Johns", "Asia/Kathmandu", "UTC", "Australia/Lord_Howe"]),
)
def test_the_next_change_is_the_first_change(window, weekdays, now, zone):
    rules = settings(window, weekdays)
    allowed = may_call(rules, zone, now)
    change = next_change(rules, zone, now)
    minute = now.replace(second=0, microsecond=0) + timedelta(minutes=1)
    limit = change or now + timedelta(days=8)
    while minute < limit:
        assert may_call(rules, zone, minute) is allowed
        minute += timedelta(minutes=7)
    if change is not None:
        assert change > now
        assert may_call(rules, zone, change) is not allowed
        assert may_call(rules, zone, change - timedelta(seconds=1)) is allowed
