"""Which session descriptions of provisional responses the library may see."""

import pytest

from cato_dialer.dial.adapters.pjsua2.worker.sip.early_media import (
    is_usable,
    with_events_at_101,
    with_short_packets,
)


@pytest.mark.parametrize(
    ("lines", "codecs", "usable"),
    [
        ("m=audio 4000 RTP/AVP 8", ("PCMA",), True),
        ("m=audio 4000 RTP/AVP 0 8 101", ("PCMA",), True),
        ("m=audio 4000/1 RTP/SAVP 8", ("PCMA",), True),
        ("m=audio 4000 RTP/AVP 0", ("PCMA", "PCMU"), True),
        ("m=audio 4000 RTP/AVP 96\r\na=rtpmap:96 pcma/8000", ("PCMA",), True),
        ("m=audio 4000 RTP/AVP 0 18", ("PCMA",), False),
        ("m=audio 4000 RTP/AVP 96\r\na=rtpmap:96 opus/48000/2", ("PCMA",), False),
        ("m=audio 0 RTP/AVP 8", ("PCMA",), False),
        ("m=audio forty RTP/AVP 8", ("PCMA",), False),
        ("m=video 4000 RTP/AVP 8", ("PCMA",), False),
        ("", ("PCMA",), False),
    ],
)
def test_case_t5_a_description_is_usable_only_with_audio_in_an_offered_codec(
    lines: str, codecs: tuple[str, ...], usable: bool
):
    assert is_usable(f"v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nt=0 0\r\n{lines}\r\n", codecs) is usable


def test_case_t16_keys_are_offered_as_101():
    offer = "v=0\r\nm=audio 120 RTP/AVP 8 120\r\na=rtpmap:8 PCMA/8000\r\n{events}"
    events = "a=rtpmap:{0} telephone-event/8000\r\na=fmtp:{0} 0-16\r\n"
    numbered = offer.replace("8 120", "8 101").format(events=events.format(101))
    assert with_events_at_101(offer.format(events=events.format(120))) == numbered
    assert with_events_at_101(numbered) == numbered
    assert with_events_at_101(offer.format(events="")) == offer.format(events="")


@pytest.mark.parametrize(
    ("asked", "bounded"), [("20", "20"), ("100", "100"), ("200", "100"), ("099", "099"), ("1000", "0100")]
)
def test_case_t20_packets_are_of_100_ms_at_most(asked: str, bounded: str):
    message = "SIP/2.0 200 OK\r\n\r\nm=audio 4000 RTP/AVP 8\r\na=ptime:{}\r\n"
    assert with_short_packets(message.format(asked).encode()) == message.format(bounded).encode()
