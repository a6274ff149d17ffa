"""Which session descriptions PJSIP may see."""

import re

_PAYLOAD_TYPES = {"PCMU": "0", "PCMA": "8"}
_AUDIO = re.compile(r"^m=audio (\d+)(?:/\d+)? \S+ (.+)$", re.MULTILINE)
_PTIME = re.compile(rb"(\na=ptime:)(\d{3,9})(?!\d)")
_EVENTS = re.compile(r"^a=rtpmap:(\d+) telephone-event/8000", re.MULTILINE)
_RTPMAP = re.compile(r"^a=rtpmap:(\d+) ([\w.-]+)/8000", re.MULTILINE)


def with_events_at_101(offer: str) -> str:
    """Return the offer with 101 as the payload type of telephone-event.

    The library takes another number. Some stations send their keys as 101 whatever was offered.
    """
    found = _EVENTS.search(offer)
    if found is None or re.search(r"^a=rtpmap:101 ", offer, re.MULTILINE):
        return offer
    own = found[1]
    offer = re.sub(rf"^(a=(?:rtpmap|fmtp):){own} ", r"\g<1>101 ", offer, flags=re.MULTILINE)
    return re.sub(rf"^(m=audio .*) {own}\b", r"\g<1> 101", offer, flags=re.MULTILINE)


def with_short_packets(message: bytes) -> bytes:
    """Return a message that asks for packets of 100 ms at most, in the same length.

    The library sends nothing at all if the far end asks for packets of 200 ms.
    """
    return _PTIME.sub(lambda found: found[1] + _bounded(found[2]), message)


def _bounded(ptime: bytes) -> bytes:
    return min(ptime, b"100".rjust(len(ptime), b"0"))


def has_audio(sdp: str) -> bool:
    """Tell whether a session description accepts audio at all."""
    audio = _AUDIO.search(sdp.replace("\r\n", "\n"))
    return audio is not None and int(audio[1]) != 0


def is_usable(sdp: str, codecs: tuple[str, ...]) -> bool:
    """Tell whether a session description accepts audio in one of the codecs (`PCMA`, `PCMU`)."""
    text = sdp.replace("\r\n", "\n")
    audio = _AUDIO.search(text)
    if audio is None or int(audio[1]) == 0:
        return False
    mapped = dict(_RTPMAP.findall(text))
    return any(
        payload == _PAYLOAD_TYPES[codec] or mapped.get(payload, "").upper() == codec
        for payload in audio[2].split()
        for codec in codecs
    )
