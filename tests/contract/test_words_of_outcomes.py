"""The outcome reasons that one service writes and another one reads."""

from cato_dialer.dial.domain.call.outcome import CANCELLED, CODES, Cause, classify
from cato_reporting.domain.effectiveness import SERVED, SERVED_IF_IT_RANG


def test_network_reasons_are_reasons_of_the_classifier():
    words = {outcome.reason for outcome in CODES.values()} | {classify(cause).reason for cause in Cause}
    assert words | {CANCELLED} >= SERVED | SERVED_IF_IT_RANG


def test_refusals_are_counted_by_the_refusing_side():
    assert {classify(code).reason for code in (480, 486, 600, 603, 607)} <= SERVED
    assert {classify(code).reason for code in (408, 487)} <= SERVED_IF_IT_RANG
    assert not {classify(code).reason for code in (403, 404, 484, 488, 500, 503, 604, 608)} & SERVED
