"""CANCEL and BYE of a call whose process has died, made from the texts of its messages."""

from cato_dialer.dial.adapters.pjsua2.supervisor.farewells import Signalling
from cato_dialer.dial.adapters.sip.last_requests import bye_of, cancel_of

INVITE = (
    "INVITE sip:100@10.0.0.1;transport=udp SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 10.0.0.2:40000;rport;branch=z9hG4bKabc\r\n"
    "Max-Forwards: 70\r\n"
    "From: sip:776400@10.0.0.1;tag=ours\r\n"
    "To: sip:100@10.0.0.1\r\n"
    "Contact: <sip:776400@10.0.0.2:40000>\r\n"
    "Call-ID: one\r\n"
    "CSeq: 17 INVITE\r\n"
    "Route: <sip:10.0.0.1;lr>"
)
RINGING = (
    "SIP/2.0 180 Ringing\r\n"
    "v: SIP/2.0/UDP 10.0.0.2:40000;branch=z9hG4bKabc\r\n"
    "Record-Route: <sip:b;lr>, <sip:a;x=1,2;lr>\r\n"
    "f: sip:776400@10.0.0.1;tag=ours\r\n"
    "t: sip:100@10.0.0.1\r\n ;tag=theirs\r\n"
    "m: <sip:100@10.0.0.9:5070>\r\n"
    "i: one\r\n"
    "CSeq: 17 INVITE"
)
PEER = "10.0.0.1:5060"


def lines(request: bytes | None) -> list[str]:
    assert request is not None
    assert request.endswith(b"\r\n\r\n")
    return request.decode().split("\r\n")


def test_cancel_belongs_to_the_transaction_of_the_invite() -> None:
    cancel = lines(cancel_of(INVITE))
    assert cancel[0] == "CANCEL sip:100@10.0.0.1;transport=udp SIP/2.0"
    assert "Via: SIP/2.0/UDP 10.0.0.2:40000;rport;branch=z9hG4bKabc" in cancel
    assert "CSeq: 17 CANCEL" in cancel
    assert "To: sip:100@10.0.0.1" in cancel
    assert "Call-ID: one" in cancel


def test_bye_belongs_to_the_dialog_of_the_response() -> None:
    bye = lines(bye_of(INVITE, RINGING))
    assert bye[0] == "BYE sip:100@10.0.0.9:5070 SIP/2.0"
    assert "To: sip:100@10.0.0.1 ;tag=theirs" in bye
    assert "CSeq: 10017 BYE" in bye
    assert [each for each in bye if each.startswith("Route")] == [
        "Route: <sip:a;x=1,2;lr>",
        "Route: <sip:b;lr>",
    ]
    assert not any("branch=z9hG4bKabc" in each for each in bye)


def test_response_without_a_tag_creates_no_dialog() -> None:
    assert bye_of(INVITE, "SIP/2.0 100 Trying\r\nTo: sip:100@10.0.0.1") is None


def methods(call: Signalling) -> list[str]:
    return [request.decode().split(" ", 1)[0] for request in call.last_requests()]


def test_requests_follow_the_state_of_the_call() -> None:
    call = Signalling()
    assert methods(call) == []
    call.take(INVITE, PEER)
    assert (methods(call), call.peer) == (["CANCEL"], PEER)
    call.take(RINGING, PEER)
    assert methods(call) == ["CANCEL", "BYE"]
    call.take(RINGING.replace("180 Ringing", "200 OK"), PEER)
    assert methods(call) == ["BYE"]
    call.take(INVITE.replace("17", "18"), PEER)
    assert methods(call) == ["CANCEL"]
