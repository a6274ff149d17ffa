"""What a dialer knows of a station."""

from datetime import UTC, datetime, timedelta

from cato_contracts.api.stations import StationFailure, StationState
from cato_dialer.dial.domain.station_health import StationHealth

T0 = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def at(seconds: int) -> datetime:
    return T0 + timedelta(seconds=seconds)


def test_a_station_is_unknown_until_it_responds():
    assert StationHealth().state is StationState.UNKNOWN
    heard = StationHealth().heard(at(0))
    assert (heard.state, heard.since) == (StationState.UP, T0)


def test_it_is_down_after_two_unanswered_requests_in_a_row():
    once = StationHealth().heard(at(0)).options_unanswered(at(1))
    assert (once.state, once.since) == (StationState.UP, T0)
    again = once.heard(at(2)).options_unanswered(at(3))
    assert again.state is StationState.UP
    down = again.options_unanswered(at(4))
    assert (down.state, down.since, down.down) == (StationState.DOWN, at(4), True)
    assert down.last_failure is not None
    assert down.last_failure.reason == "options-unanswered"


def test_the_time_of_a_state_is_that_of_its_beginning():
    down = StationHealth().options_unanswered(at(1)).options_unanswered(at(2))
    assert down.options_unanswered(at(3)).since == at(2)
    up = down.heard(at(5)).heard(at(6))
    assert (up.since, up.unanswered) == (at(5), 0)


def test_a_station_that_ignores_options_is_down_only_after_a_call_without_response():
    ignoring = StationHealth().options_unanswered(at(1)).options_unanswered(at(2)).heard(at(3))
    assert (ignoring.state, ignoring.answers_options) == (StationState.UP, False)
    missed = ignoring.options_unanswered(at(30)).options_unanswered(at(34))
    assert missed.state is StationState.UP
    assert missed.options_unanswered(at(60), after_call=True).state is StationState.DOWN
    answered = missed.options_answered(at(61))
    assert answered.options_unanswered(at(90)).options_unanswered(at(94)).down


def test_a_station_that_comes_back_with_a_call_still_answers_options():
    down = StationHealth().options_answered(at(0)).options_unanswered(at(1)).options_unanswered(at(2))
    assert down.heard(at(3)).answers_options is True


def test_a_failed_call_changes_no_state():
    failure = StationFailure(at=at(1), reason="service-unavailable", sip_code=503, text="Overloaded")
    failed = StationHealth().heard(at(0)).failed(failure)
    assert (failed.state, failed.last_failure) == (StationState.UP, failure)
    assert failed.heard(at(2)).last_failure == failure
