"""Keys in SIP INFO: `application/dtmf-relay` and `application/dtmf`."""

import re

_SIGNAL = re.compile(r"(?im)^[ \t]*signal[ \t]*=[ \t]*(\S{1,3})[ \t]*\r?$")
_BARE = re.compile(r"\s*(\S{1,3})\s*")
_NUMERIC = {"10": "*", "11": "#", "12": "A", "13": "B", "14": "C", "15": "D"}
"Some exchanges name the keys by their RFC 4733 event."
_KEYS = frozenset("0123456789*#ABCD")


def key_of_info(content_type: str, body: bytes) -> str | None:
    """Return the key that an INFO request reports, None if it reports none."""
    text = body.decode("ascii", "replace")
    match = None
    if content_type in {"application/dtmf-relay", "application/dtmf"}:
        match = _SIGNAL.search(text)
    if match is None and content_type == "application/dtmf":
        match = _BARE.fullmatch(text)
    if match is None:
        return None
    key = _NUMERIC.get(match[1], match[1].upper())
    return key if key in _KEYS else None
