import pytest
from sipmessage import Request

from cato_exchange.sip.messages import mark_received, parse, reply, tag_of, user_of

OPTIONS = (
    "OPTIONS sip:exchange@10.0.0.1 SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bK+a'1;rport, SIP/2.0/UDP 10.0.0.3\r\n"
    "From: <sip:cato@10.0.0.2>;tag=a\r\nTo: <sip:exchange@10.0.0.1>\r\n"
    "Call-ID: 1@10.0.0.2\r\nCSeq: 1 OPTIONS\r\n"
)


def options(more: str = "", body: str = "") -> Request:
    message = parse(f"{OPTIONS}{more}\r\n{body}".encode())
    assert isinstance(message, Request)
    return message


def test_folded_header_is_one_header():
    assert options("Subject: flood\r\n  warning\r\n").subject == "flood warning"


def test_space_before_the_colon_is_accepted():
    assert options("Subject : flood\r\n").subject == "flood"


def test_compact_header_names_are_accepted():
    assert options("s: flood\r\n").subject == "flood"


def test_body_ends_at_content_length():
    assert options("Content-Length: 3\r\n", "abcdef").body == b"abc"


def test_branch_is_returned_unchanged():
    request = options()
    mark_received(request, "192.0.2.1", 4000)

    via = reply(request, 200).headers["Via"]
    assert via == (
        "SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bK+a'1;rport=4000;received=192.0.2.1, SIP/2.0/UDP 10.0.0.3"
    )


def test_response_gets_a_to_tag_once():
    response = reply(options(), 200, to_tag="x")

    assert tag_of(response.headers["To"]) == "x"
    assert tag_of(reply(options(), 100).headers["To"]) is None


def test_user_and_name_are_parsed_or_empty():
    assert user_of('"Town, hall" <sip:776400@host>;tag=1') == ("776400", "Town, hall")
    assert user_of("<tel:+78001234567>") == ("+78001234567", "")
    assert user_of("<<>") == ("", "")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"OPTIONS sip:a@b SIP/2.0\r\n\r\n",
        OPTIONS.replace("CSeq: 1", "CSeq: one").encode() + b"\r\n",
        OPTIONS.encode() + b"Content-Length: 9\r\n\r\nabc",
        OPTIONS.encode() + b"Content-Length: many\r\n\r\nabc",
        OPTIONS.encode() + b"no colon\r\n\r\n",
        b"\xff\xfe" + OPTIONS.encode() + b"\r\n",
    ],
)
def test_invalid_message_raises_value_error(data: bytes):
    with pytest.raises(ValueError):
        parse(data)
