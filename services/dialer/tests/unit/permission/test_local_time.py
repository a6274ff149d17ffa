"""The zones in whose hours the subscribers of a run are called."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cato_contracts.api.calling_hours import may_call, next_allowed
from cato_contracts.api.resources import MAX_EXCLUDED_DATES, SettingsSpec, SuccessCondition
from cato_contracts.api.rules.hours import LocalTime, UnknownZone
from cato_contracts.messages.jobs import RunDispatchState, RunMode
from cato_dialer.campaign.domain.run.local_time import (
    call_zones,
    dates_without_calls,
    run_zones,
    subscriber_zones,
)
from cato_dialer.dial.domain.subscriber.call_gate import CallGate, Defer
from services.dialer.tests.support.dial_world import RUN, World
from services.dialer.tests.support.stations import make_station

KOLKATA, BERLIN, MOSCOW = "Asia/Kolkata", "Europe/Berlin", "Europe/Moscow"
HOURS = {"time_restrictions": {"from_hour": 9, "till_hour": 20}}
CALLING = RunDispatchState(run_id=RUN, priority=0, mode=RunMode.CALLING)


def spec(**fields: Any) -> SettingsSpec:
    known = {"name": "s", "attempt_count": 1, "success_condition": SuccessCondition.PICKUP_PHONE}
    return SettingsSpec.model_validate({**known, **fields})


def local(when_unknown: UnknownZone = UnknownZone.DEFAULT) -> LocalTime:
    return LocalTime(when_unknown=when_unknown)


def test_without_local_time_the_zones_of_the_list_do_not_matter() -> None:
    assert run_zones(None, {KOLKATA, None}, MOSCOW) == []
    assert call_zones(None, subscriber_zones(None, KOLKATA), [], MOSCOW) == [MOSCOW]


@pytest.mark.parametrize(
    ("when_unknown", "of_run", "of_unknown"),
    [
        (UnknownZone.DEFAULT, [KOLKATA, BERLIN, MOSCOW], [MOSCOW]),
        (UnknownZone.ALL_ZONES, [KOLKATA, BERLIN], [KOLKATA, BERLIN]),
        (UnknownZone.SKIP, [KOLKATA, BERLIN], None),
    ],
)
def test_a_subscriber_without_a_zone_is_called_as_the_settings_say(
    when_unknown: UnknownZone, of_run: list[str], of_unknown: list[str] | None
) -> None:
    zones = run_zones(local(when_unknown), {KOLKATA, BERLIN, None}, MOSCOW)
    assert zones == of_run
    assert call_zones(local(when_unknown), (), zones, MOSCOW) == of_unknown
    assert call_zones(local(when_unknown), (BERLIN,), zones, MOSCOW) == [BERLIN]


@pytest.mark.parametrize(
    ("detect", "own", "of_numbers", "found"),
    [
        (["SUBSCRIBER"], KOLKATA, [BERLIN], (KOLKATA,)),
        (["SUBSCRIBER"], None, [BERLIN], ()),
        (["NUMBER"], KOLKATA, [BERLIN], (BERLIN,)),
        (["NUMBER", "SUBSCRIBER"], KOLKATA, [], (KOLKATA,)),
        (["SUBSCRIBER", "NUMBER"], None, [BERLIN, MOSCOW], (BERLIN, MOSCOW)),
    ],
)
def test_zones_are_taken_from_the_sources_in_their_order(
    detect: list[str], own: str | None, of_numbers: list[str], found: tuple[str, ...]
) -> None:
    assert subscriber_zones(LocalTime.model_validate({"detect": detect}), own, of_numbers) == found


def test_dates_that_are_over_are_left_out_and_the_next_ones_stay() -> None:
    today = date(2026, 5, 1)
    days = [today + timedelta(days=n) for n in range(-10, 500)]
    closed = dates_without_calls(days[::2], days[1::2], today)
    assert closed == days[8 : 8 + MAX_EXCLUDED_DATES]


def test_a_list_without_any_zone_has_the_default_one() -> None:
    assert run_zones(local(UnknownZone.ALL_ZONES), {None}, MOSCOW) == [MOSCOW]


def test_a_job_out_of_its_own_hours_waits_alone() -> None:
    world = World(lambda *_: None, (make_station(),), settings={**HOURS, "local_time": local()})  # type: ignore[arg-type, return-value]
    now = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)

    def refusal(zones: list[str]) -> Any:
        return CallGate(world.job(0, ["1"], zones=zones)).refusal(CALLING, now, closing=False)

    assert refusal([KOLKATA]) is None
    assert refusal([BERLIN]) == Defer(3_600.0)
    assert refusal([BERLIN, KOLKATA]) == Defer(3_600.0)
    assert refusal([BERLIN, "America/New_York"]) == Defer(7 * 3_600.0)
    plain = World(lambda *_: None, (make_station(),), settings=HOURS)  # type: ignore[arg-type, return-value]
    job = plain.job(0, ["1"], time_zone=BERLIN)
    assert CallGate(job).refusal(CALLING, now, closing=False) == Defer(3_600.0, whole_run=True)


def test_no_call_starts_on_an_excluded_date_of_the_zone() -> None:
    settings = spec(excluded_dates=["2026-05-09"], **HOURS)
    assert not may_call(settings, MOSCOW, datetime(2026, 5, 9, 12, tzinfo=UTC))
    opens = next_allowed(settings, [MOSCOW], datetime(2026, 5, 8, 18, tzinfo=UTC))
    assert opens == datetime(2026, 5, 10, 6, tzinfo=UTC)
    alone = spec(excluded_dates=["2026-05-09"])
    assert next_allowed(alone, [MOSCOW], datetime(2026, 5, 9, 6, tzinfo=UTC)) == datetime(
        2026, 5, 9, 21, tzinfo=UTC
    )


zones = st.lists(
    st.sampled_from([KOLKATA, BERLIN, MOSCOW, "America/St_Johns", "Australia/Lord_Howe", "UTC"]),
    min_size=1,
    max_size=3,
)


@given(
    zones=zones,
    opens=st.integers(0, 23),
    closes=st.integers(0, 23),
    dates=st.lists(st.dates(datetime(2026, 3, 27).date(), datetime(2026, 4, 5).date()), max_size=3),
    minute=st.integers(0, 8 * 1_440),
)
def test_the_next_allowed_time_is_the_first_minute_at_which_every_zone_allows_a_call(
    zones: list[str], opens: int, closes: int, dates: list[Any], minute: int
) -> None:
    settings = spec(time_restrictions={"from_hour": opens, "till_hour": closes}, excluded_dates=dates)
    start = datetime.fromtimestamp(datetime(2026, 3, 27, tzinfo=UTC).timestamp() + 60 * minute, UTC)
    found = next_allowed(settings, zones, start)
    moment = start
    for _ in range(3 * 96):
        if all(may_call(settings, zone, moment) for zone in zones):
            break
        moment = datetime.fromtimestamp(moment.timestamp() + 900 - moment.timestamp() % 900, UTC)
    else:
        return  # not within three days
    assert found == moment
