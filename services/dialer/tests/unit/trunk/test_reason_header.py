"""What SIP messages say about the reason of an end."""

import pytest

from cato_dialer.dial.adapters.sip.reason_header import reason_of, reason_of_message


@pytest.mark.parametrize(
    ("reasons", "warnings", "text"),
    [
        ([], [], None),
        (["  "], [" "], None),
        (["Q.850;cause=17"], [], "Q.850;cause=17"),
        (["SIP;cause=200", "Q.850;cause=16"], [], "SIP;cause=200, Q.850;cause=16"),
        ([], ['399 pbx "trunk full"'], 'Warning: 399 pbx "trunk full"'),
        (["Q.850;cause=34"], ["399 a", "399 b"], "Q.850;cause=34, Warning: 399 a, Warning: 399 b"),
        (["Q.850\r\n ;cause=3\x00\x07"], [], "Q.850 ;cause=3"),
    ],
)
def test_the_values_are_one_text_on_one_line(reasons, warnings, text):
    assert reason_of(reasons, warnings) == text


def test_a_long_text_is_cut():
    assert len(reason_of(["x" * 1000], []) or "") == 300


@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_a_whole_message_is_read_to_the_end_of_its_head(end):
    lines = (
        "SIP/2.0 486 Busy Here",
        "via: SIP/2.0/UDP 127.0.0.1",
        "REASON : Q.850",
        '\t;cause=17;text="User busy"',
        'Warning: 399 pbx "занято"',
        "Content-Length: 12",
        "",
        "Reason: none",
    )
    told = reason_of_message(end.join(lines))
    assert told == 'Q.850 ;cause=17;text="User busy", Warning: 399 pbx "занято"'


@pytest.mark.parametrize(
    "message", ["", "SIP/2.0 486 Busy Here\r\n\r\n", "Reason: first line", "\x00\r\n:\r\n"]
)
def test_a_message_without_the_fields_has_no_reason(message):
    assert reason_of_message(message) is None
