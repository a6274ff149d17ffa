import pytest

from cato_exchange.media.sdp import NotAcceptableError, read, write

HEAD = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"


def test_pcma_is_preferred_in_any_order():
    offer = read(f"{HEAD}m=audio 4000 RTP/AVP 0 18 8 96\r\na=rtpmap:96 telephone-event/8000\r\n".encode())

    assert (offer.address, offer.payload_type, offer.event_type) == (("192.0.2.1", 4000), 8, 96)
    assert offer.direction == "sendrecv"


def test_media_level_address_and_direction_override_the_session():
    offer = read(f"{HEAD}m=audio 4000 RTP/AVP 0\r\nc=IN IP4 192.0.2.9\r\na=sendonly\r\n".encode())

    assert (offer.address, offer.payload_type, offer.event_type) == (("192.0.2.9", 4000), 0, None)
    assert offer.direction == "sendonly"


def test_answer_refuses_other_media_in_place():
    offer = read(f"{HEAD}m=video 5000 RTP/AVP 99\r\nm=audio 4000 RTP/AVP 8\r\n".encode())

    answer = write(("127.0.0.1", 6000), version=1, codecs=(8,), event_type=None, beside=offer).decode()
    assert [line for line in answer.splitlines() if line.startswith("m=")] == [
        "m=video 0 RTP/AVP 99",
        "m=audio 6000 RTP/AVP 8",
    ]


def test_own_offer_is_parsed():
    offer = read(write(("127.0.0.1", 6000), version=1, direction="inactive"))

    assert (offer.address, offer.event_type, offer.direction) == (("127.0.0.1", 6000), 101, "inactive")


@pytest.mark.parametrize(
    "media",
    [
        "m=audio 4000 RTP/AVP 18\r\n",
        "m=audio 0 RTP/AVP 8\r\n",
        "m=audio 4000 RTP/SAVP 8\r\n",
        "m=video 4000 RTP/AVP 8\r\n",
        "m=audio many RTP/AVP 8\r\n",
        "",
    ],
)
def test_sdp_without_a_common_codec_is_not_acceptable(media: str):
    with pytest.raises(NotAcceptableError):
        read(f"{HEAD}{media}".encode())
