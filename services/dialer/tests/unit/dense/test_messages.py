"""SIP messages as they come: odd but valid ones are read, others are refused with a reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cato_dialer.dial.adapters.dense.sip.messages.header_values import (
    after_address,
    parameter,
    split_list,
    uri_of,
)
from cato_dialer.dial.adapters.dense.sip.messages.message import MessageError, parse, response_bytes

RINGING = (
    b"SIP/2.0 180 Ringing\r\n"
    b"Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKabc;rport=5060\r\n"
    b"From: <sip:1000@127.0.0.1>;tag=ours\r\n"
    b"To: <sip:1@127.0.0.1>;tag=theirs\r\n"
    b"Call-ID: a@127.0.0.1\r\n"
    b"CSeq: 1 INVITE\r\n"
    b"Content-Length: 0\r\n\r\n"
)
BYE = (
    b"BYE sip:1000@127.0.0.1 SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 127.0.0.1:5080;branch=z9hG4bKdef\r\n"
    b"From: <sip:1@127.0.0.1>;tag=theirs\r\n"
    b"To: <sip:1000@127.0.0.1>;tag=ours\r\n"
    b"Call-ID: a@127.0.0.1\r\n"
    b"CSeq: 7 BYE\r\n\r\n"
)


def test_a_response_is_read():
    message = parse(RINGING)
    assert (message.code, message.phrase, message.method, message.sequence) == (180, "Ringing", "INVITE", 1)
    assert (message.branch, message.from_tag, message.to_tag) == ("z9hG4bKabc", "ours", "theirs")


def test_a_request_is_read():
    message = parse(BYE)
    assert (message.code, message.method, message.sequence, message.call_id) == (
        None,
        "BYE",
        7,
        "a@127.0.0.1",
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Via: ", b"v: "),
        (b"Via: ", b"VIA  :  "),
        (b"From: <sip", b"From:\r\n  <sip"),
        (b"CSeq: 1 INVITE", b"CSeq: 0001\t INVITE"),
        (b";branch=", b" ;\r\n branch = "),
        (b"<sip:1000@", b'"A \\" quote, and <this>" <sip:1000@'),
        (b"Ringing", "Звонок".encode("windows-1251")),
        (b"SIP/2.0 180", b"\r\n\r\nSIP/2.0 180"),
    ],
)
def test_another_valid_form_means_the_same(old: bytes, new: bytes):
    message = parse(RINGING.replace(old, new, 1))
    assert (message.code, message.method, message.sequence) == (180, "INVITE", 1)
    assert (message.branch, message.from_tag, message.to_tag) == ("z9hG4bKabc", "ours", "theirs")


def test_a_phrase_in_another_encoding_is_shown_with_replacement_characters_t8():
    message = parse(RINGING.replace(b"180 Ringing", b"486 \xc7\xe0\xed\xff\xf2\xee"))
    assert message.code == 486
    assert set(message.phrase) == {"\ufffd"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Call-ID: a@127.0.0.1\r\n", b""),
        (b"CSeq: 1 INVITE", b"CSeq: 1"),
        (b"CSeq: 1 INVITE", b"CSeq: 4294967296 INVITE"),
        (b"180 Ringing", b"99 Low"),
        (b"180 Ringing", b"4294967301 Better not"),
        (b"SIP/2.0 180", b"SIP/7.0 180"),
        (b"Content-Length: 0", b"Content-Length: -1"),
        (b"Content-Length: 0", b"Content-Length: 9999"),
        (b"Content-Length: 0", b"Content-Length: " + b"9" * 5_000),
        (b"Via: SIP", b"Via: \x00SIP"),
        (b"tag=ours", b"tag=ours\nX: injected"),
        (b"\r\n\r\n", b"\r\n"),
    ],
)
def test_what_is_not_valid_is_refused(old: bytes, new: bytes):
    with pytest.raises(MessageError):
        parse(RINGING.replace(old, new, 1))


def test_a_request_whose_methods_differ_is_refused():
    with pytest.raises(MessageError):
        parse(BYE.replace(b"7 BYE", b"7 INVITE"))


def test_a_body_ends_where_content_length_says():
    with_body = RINGING.replace(b"Content-Length: 0\r\n\r\n", b"Content-Length: 2\r\n\r\nhello")
    assert parse(with_body).body == b"he"


def test_a_response_repeats_what_the_request_says():
    answer = parse(response_bytes(parse(BYE), 200, "OK"))
    assert (answer.code, answer.method, answer.sequence) == (200, "BYE", 7)
    assert (answer.branch, answer.to_tag) == ("z9hG4bKdef", "ours")


def test_lists_are_split_outside_of_quotes_and_brackets():
    assert split_list('<sip:a@b;x=1,2>;lr, "x, \\" y" <sip:c@d>,,sip:e@f') == [
        "<sip:a@b;x=1,2>;lr", '"x, \\" y" <sip:c@d>', "sip:e@f",
    ]  # fmt: skip


def test_addresses_are_read_behind_quoted_names():
    value = '"not <sip:this@one>;tag=no" <sip:this@one;lr>;tag=yes'
    assert uri_of(value) == "sip:this@one;lr"
    assert parameter(after_address(value), "tag") == "yes"
    assert uri_of("sip:a@b;tag=x") == "sip:a@b"
    assert uri_of("<sip:a@b") is None


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(data: bytes):
    with pytest.raises(MessageError):
        parse(data)


@given(st.sampled_from([RINGING, BYE]), st.integers(0, 400), st.integers(0, 40), st.binary(max_size=12))
def test_a_damaged_message_is_read_or_refused(message: bytes, at: int, cut: int, put: bytes):
    try:
        received = parse(message[:at] + put + message[at + cut :])
    except MessageError:
        return
    assert received.code is None or 100 <= received.code < 700
    assert received.fields
