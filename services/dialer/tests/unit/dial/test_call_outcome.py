import re

import pytest

from cato_dialer.dial.domain.call.outcome import CODES, Cause, Success, classify, worth_another_station

RFC_3261 = {
    *(300, 301, 302, 305, 380),
    *(400, 401, 402, 403, 404, 405, 406, 407, 408, 410, 413, 414, 415, 416, 420, 421, 423),
    *(480, 481, 482, 483, 484, 485, 486, 487, 488, 491, 493),
    *(500, 501, 502, 503, 504, 505, 513),
    *(600, 603, 604, 606),
}
ELSEWHERE = {401, 407, 408, 500, 502, 503, 504}


def test_every_final_code_of_the_standard_has_its_own_row() -> None:
    assert set(CODES) >= RFC_3261


@pytest.mark.parametrize("code", sorted(CODES))
def test_another_station_is_tried_where_this_one_failed(code: int) -> None:
    assert classify(code).retry_other_station is (code in ELSEWHERE)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (486, "busy"),
        (404, "not-found"),
        (603, "declined"),
        (480, "unavailable"),
        (503, "service-unavailable"),
    ],
)
def test_the_common_ones_have_plain_words(code: int, reason: str) -> None:
    assert classify(code).reason == reason


@pytest.mark.parametrize(("code", "like"), [(399, 300), (499, 400), (599, 500), (699, 603)])
def test_an_unknown_code_means_its_class(code: int, like: int) -> None:
    assert classify(code) == classify(like)


def test_the_classifier_is_total_and_its_words_are_kebab_case() -> None:
    words = [classify(code).reason for code in range(-1, 1000)] + [classify(cause).reason for cause in Cause]
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", word) for word in [*words, *Success])


def test_a_reason_alone_tells_whether_another_station_is_worth_a_try() -> None:
    outcomes = [classify(code) for code in range(1000)] + [classify(cause) for cause in Cause]
    assert all(worth_another_station(one.reason) is one.retry_other_station for one in outcomes)
    assert not any(worth_another_station(success) for success in Success)


def test_timeouts_and_faults() -> None:
    assert classify(Cause.NO_RESPONSE).retry_other_station
    assert classify(Cause.SETUP_TIMEOUT).retry_other_station
    assert not classify(Cause.ANSWER_TIMEOUT).retry_other_station
