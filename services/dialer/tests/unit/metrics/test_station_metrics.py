"""The states of stations as metrics."""

from types import SimpleNamespace
from typing import Any

import pytest

from cato_contracts.api.stations import StationState
from cato_dialer.dial.adapters.dial_gauges import DialGauges
from cato_dialer.dial.domain.capacity.overload_control import OverloadControl
from cato_dialer.dial.domain.station_health import StationHealth
from cato_dialer.dial.ports.stations import UnwatchedStations
from services.dialer.tests.support.stations import make_station


class OneState(UnwatchedStations):
    def __init__(self, state: StationState) -> None:
        self._health = StationHealth(state)

    def is_up(self, station_id: Any) -> bool:
        return not self._health.down

    def health(self, station_id: Any) -> StationHealth:
        return self._health


@pytest.mark.parametrize("state", list(StationState))
def test_one_state_of_a_station_is_1_and_the_others_are_0_s3(state: StationState) -> None:
    trunk: Any = SimpleNamespace(worker_pids=(), capacity=0, media_lag_ms=0, loop_lag_ms=0, engines={})
    dispatcher: Any = SimpleNamespace(jobs_in_hand=0, overload=OverloadControl())
    channels: Any = SimpleNamespace(usage=lambda _station_id: (0, 0), licence_usage=lambda: (9, 4, 1))
    gauges = DialGauges([make_station()], dispatcher, channels, trunk, OneState(state))
    families = {family.name: family for family in gauges.read()}
    told = {sample.labels["state"]: sample.value for sample in families["cato_station_state"].samples}
    assert told == {each.lower(): float(each is state) for each in StationState}
    (up,) = families["cato_station_up"].samples
    assert up.value == (state is not StationState.DOWN)
