"""Session descriptions: our offer, and the meaning of the far end's answers and offers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cato_dialer.dial.adapters.dense.sip.messages.sdp import (
    LocalMedia,
    NoMediaError,
    SdpError,
    Session,
    answer_offer,
    offer,
    read_answer,
)

LOCAL = LocalMedia("192.0.2.1", 20_000, ("PCMA", "PCMU"), events=True, session_id=1)
PLAIN = Session("192.0.2.9", 4_000, "PCMA", 8, 101, 20, sending=True)


def sdp(*media: str, address: str = "IN IP4 192.0.2.9") -> bytes:
    lines = ["v=0", "o=- 1 1 IN IP4 192.0.2.9", "s=-", f"c={address}", "t=0 0", *media]
    return ("\r\n".join(lines) + "\r\n").encode()


AUDIO = ("m=audio 4000 RTP/AVP 8 101", "a=rtpmap:8 PCMA/8000", "a=rtpmap:101 telephone-event/8000")


def test_the_offer_names_codecs_and_events():
    lines = offer(LOCAL, 1).decode().split("\r\n")
    assert "m=audio 20000 RTP/AVP 8 0 101" in lines
    assert "a=rtpmap:101 telephone-event/8000" in lines
    assert "c=IN IP4 192.0.2.1" in lines


def test_without_rfc4733_no_events_are_offered():
    assert b"telephone-event" not in offer(LOCAL._replace(events=False), 1)


@pytest.mark.parametrize(
    ("body", "session"),
    [
        (sdp(*AUDIO), PLAIN),
        (sdp("m=audio 4000 RTP/AVP 8"), PLAIN._replace(events_type=None)),
        (sdp("m=audio 4000 RTP/AVP 18 0"), PLAIN._replace(codec="PCMU", payload_type=0, events_type=None)),
        (sdp("m=video 4002 RTP/AVP 96", *AUDIO), PLAIN),
        (sdp(*AUDIO, "c=IN IP4 192.0.2.77"), PLAIN._replace(address="192.0.2.77")),
        (sdp(*AUDIO, address="IN IP6 2001:db8::1"), PLAIN._replace(address="2001:db8::1")),
        (sdp(*AUDIO, address="IN IP4 0.0.0.0"), PLAIN._replace(address="0.0.0.0", sending=False)),
        (sdp(*AUDIO, "a=sendonly"), PLAIN._replace(sending=False)),
        (sdp(*AUDIO, "a=recvonly"), PLAIN),
        (sdp(*AUDIO, "a=ptime:30"), PLAIN._replace(packet_ms=30)),
        (sdp(*AUDIO, "a=ptime:200"), PLAIN._replace(packet_ms=60)),
        (sdp(*AUDIO, "a=ptime:25", "a=maxptime:20"), PLAIN),
        (sdp(*AUDIO).replace(b"\r\n", b"\n"), PLAIN),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else "session",
)
def test_an_answer_says_where_and_how_to_send(body: bytes, session: Session):
    assert read_answer(body, LOCAL) == session


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (sdp("m=audio 0 RTP/AVP 8"), "no-media"),
        (sdp(), "no-media"),
        (sdp("m=audio 4000 RTP/AVP 18"), "no-common-codec"),
        (sdp("m=audio 4000 RTP/SAVP 8"), "no-common-codec"),
        (sdp("m=audio 4000 RTP/AVP 8", "a=rtpmap:8 G729/8000"), "no-common-codec"),
    ],
)
def test_an_answer_without_usable_media_has_a_reason_t15(body: bytes, why: str):
    with pytest.raises(NoMediaError, match=f"^{why}$"):
        read_answer(body, LOCAL)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        sdp("m=audio x RTP/AVP 8"),
        sdp("m=audio 99999 RTP/AVP 8"),
        sdp(*AUDIO, address="IN IP4 x"),
    ],
)
def test_an_answer_that_cannot_be_read_is_an_error(body: bytes):
    with pytest.raises(SdpError):
        read_answer(body, LOCAL)


@pytest.mark.parametrize(
    ("theirs", "ours", "sending"),
    [
        ("sendrecv", "sendrecv", True),
        ("sendonly", "recvonly", False),
        ("recvonly", "sendonly", True),
        ("inactive", "inactive", False),
    ],
)
def test_an_offer_within_the_call_is_answered_with_the_mirrored_direction(
    theirs: str, ours: str, sending: bool
):
    body, session = answer_offer(sdp(*AUDIO, f"a={theirs}"), LOCAL, 2)
    assert f"a={ours}" in body.decode()
    assert session.sending is sending


def test_an_answer_has_a_line_for_each_line_of_the_offer():
    body, _ = answer_offer(sdp("m=video 4002 RTP/AVP 96", *AUDIO, "m=text 4004 RTP/AVP 98"), LOCAL, 2)
    lines = [line for line in body.decode().split("\r\n") if line.startswith("m=")]
    assert lines == ["m=video 0 RTP/AVP 96", "m=audio 20000 RTP/AVP 8 101", "m=text 0 RTP/AVP 98"]


@given(st.binary(max_size=300) | st.text(max_size=200).map(lambda text: sdp("m=audio 1 RTP/AVP 8", text)))
def test_any_description_is_read_or_refused(body: bytes):
    try:
        session = read_answer(body, LOCAL)
    except (SdpError, NoMediaError):
        return
    assert session.packet_ms in {10, 20, 30, 40, 60}
