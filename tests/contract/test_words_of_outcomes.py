"""The words for outcomes that one service writes and another one reads."""

from cato_dialer.dial.domain.call.outcome import CANCELLED, CODES, Cause, classify
from cato_reporting.domain.effectiveness import SERVED, SERVED_IF_IT_RANG


def test_the_reasons_that_count_for_the_network_are_words_of_the_classifier():
    words = {outcome.reason for outcome in CODES.values()} | {classify(cause).reason for cause in Cause}
    assert words | {CANCELLED} >= SERVED | SERVED_IF_IT_RANG


def test_refusals_count_by_who_refused():
    assert {classify(code).reason for code in (480, 486, 600, 603, 607)} <= SERVED
    assert {classify(code).reason for code in (408, 487)} <= SERVED_IF_IT_RANG
    assert not {classify(code).reason for code in (403, 404, 484, 488, 500, 503, 604, 608)} & SERVED
