"""Which keys count."""

from cato_dialer.dial.adapters.pjsua2.worker.digit_filter import DigitFilter


def test_a_key_counts_if_it_comes_in_an_accepted_way():
    digits = DigitFilter(("rfc4733", "info"))
    assert [digits.take("1", way) for way in ("rfc4733", "info", "inband")] == ["1", "1", None]
    assert digits.take("d", "info") == "D"
    assert digits.take("!", "info") is None


def test_tones_of_the_keys_that_come_as_events_are_not_taken_again():
    digits = DigitFilter(("rfc4733", "info", "inband"))
    assert digits.listens
    assert digits.take("1", "rfc4733") == "1"
    assert digits.take("1", "inband") is None
    assert digits.take("2", "info") == "2"
    assert not digits.listens


def test_messages_of_the_keys_that_come_as_tones_are_not_taken_again():
    digits = DigitFilter(("info", "inband"))
    assert digits.take("1", "inband") == "1"
    assert digits.take("1", "info") is None
    assert digits.take("2", "inband") == "2"
    assert digits.listens


def test_tones_are_not_listened_for_when_they_cannot_count():
    assert not DigitFilter(("rfc4733",)).listens
