"""Digits in SIP INFO that PJSIP leaves alone: it knows `application/dtmf-relay` only."""

import re

_CONTENT_TYPE = re.compile(
    r"^(?:content-type|c)[ \t]*:[ \t]*application/dtmf[ \t]*(?:;.*)?$", re.IGNORECASE | re.MULTILINE
)
_BODY = re.compile(r"\s*(?:signal\s*=\s*)?([0-9A-D*#])\s*", re.IGNORECASE)


def digit_of_info(message: str) -> str | None:
    """Return the digit of an INFO request whose body, of type `application/dtmf`, is just that."""
    head, _, body = message.partition("\r\n\r\n")
    if _CONTENT_TYPE.search(head.replace("\r\n", "\n")) is None:
        return None
    match = _BODY.fullmatch(body)
    return match[1].upper() if match else None
