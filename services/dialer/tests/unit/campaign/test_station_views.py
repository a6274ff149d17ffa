"""How the dial replicas' views of the stations become one."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from uuid import uuid4

import pytest

from cato_contracts.api.stations import StationFailure, StationState
from cato_contracts.messages.stations import StationSight
from cato_dialer.campaign.domain.stations import ConfiguredStation, station_views

T0 = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MAIN = ConfiguredStation(uuid4(), "main", "dense", 30, ("7764",))
OTHER = ConfiguredStation(uuid4(), "other", "pjsua2", 5)
UP, DOWN, RESTING, UNKNOWN = StationState.UP, StationState.DOWN, StationState.RESTING, StationState.UNKNOWN


def seen(state, since=0, **fields):
    return StationSight(
        station_id=MAIN.id, name="main", state=state, since=T0 + timedelta(seconds=since), **fields
    )


def view(*sights):
    (one, _) = station_views([MAIN, OTHER], sights)
    return one


def test_a_station_that_no_dialer_uses_is_unknown_s3():
    main, other = station_views([MAIN, OTHER], [])
    assert [(one.name, one.engine, one.state, one.dialers) for one in (main, other)] == [
        ("main", "dense", UNKNOWN, 0),
        ("other", "pjsua2", UNKNOWN, 0),
    ]
    assert (main.channels, main.channels_in_use, main.registered, main.since) == (30, 0, None, None)
    assert (main.caller_ids, other.caller_ids) == (["7764"], [])


@pytest.mark.parametrize(
    ("states", "together"),
    [
        ((UP,), UP),
        ((DOWN, UP), UP),
        ((DOWN, RESTING), RESTING),
        ((RESTING, UP), UP),
        ((DOWN, UNKNOWN), DOWN),
        ((DOWN, DOWN), DOWN),
        ((UNKNOWN,), UNKNOWN),
    ],
)
def test_the_best_state_that_a_dialer_sees_counts_s3(states, together):
    for order in permutations(states):
        assert view(*map(seen, order)).state is together


def test_it_is_up_since_the_first_dialer_and_down_since_the_last():
    assert view(seen(UP, 5), seen(UP, 3), seen(DOWN, 1)).since == T0 + timedelta(seconds=3)
    assert view(seen(DOWN, 5), seen(DOWN, 3)).since == T0 + timedelta(seconds=5)


def test_channels_are_summed_and_one_registration_is_enough():
    one = view(seen(UP, channels_in_use=2, registered=False), seen(UP, channels_in_use=3, registered=True))
    assert (one.channels_in_use, one.registered, one.dialers) == (5, True, 2)
    assert view(seen(UP, registered=False)).registered is False


def test_the_latest_failure_is_shown():
    early = StationFailure(at=T0, reason="options-unanswered")
    late = StationFailure(at=T0 + timedelta(seconds=9), reason="service-unavailable", sip_code=503)
    assert view(seen(UP, last_failure=late), seen(DOWN, last_failure=early), seen(UP)).last_failure == late
