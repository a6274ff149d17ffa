"""Keys in SIP INFO: `application/dtmf-relay` and `application/dtmf`.

This module imports the standard library alone, so that a SIP worker can load it.
"""

import re

_SIGNAL = re.compile(r"^[ \t]*signal[ \t]*=[ \t]*(\S*)[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_KEYS = "0123456789*#ABCD"
"RFC 4733, 3.2: the key of an event number is at its index."


def key_of_info(content_type: str, body: str) -> str | None:
    """Return the key of an INFO request, None if it has none.

    `content_type` is in lower case and without parameters. The key is a character or the number of its event
    (RFC 4733): `11` is `#`. Other values, such as `16` for a hook flash, are not keys.
    """
    if content_type not in {"application/dtmf-relay", "application/dtmf"}:
        return None
    signal = _SIGNAL.search(body)
    if signal is not None:
        return _key(signal[1])
    return _key(body.strip()) if content_type == "application/dtmf" else None


def _key(value: str) -> str | None:
    if len(value) == 1 and value.upper() in _KEYS:
        return value.upper()
    if re.fullmatch(r"[0-9]{2}", value) and int(value) < len(_KEYS):
        return _KEYS[int(value)]
    return None
