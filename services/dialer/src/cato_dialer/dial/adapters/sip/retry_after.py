"""The header `Retry-After` (RFC 3261, 20.33).

This module imports the standard library alone, so that a SIP worker can load it.
"""

import re

_SECONDS = re.compile(r"[ \t]*(\d{1,9})[ \t]*(?:[(;].*)?", re.DOTALL)
_HEADER = re.compile(r"^retry-after[ \t]*:((?:.|\r?\n[ \t])*)", re.IGNORECASE | re.MULTILINE)


def seconds_of(value: str) -> int | None:
    """Return the seconds of the header's value; a comment and parameters may follow them."""
    found = _SECONDS.fullmatch(value.strip())
    return int(found[1]) if found else None


def retry_after_of(message: str) -> int | None:
    """Return the seconds of the header in a message, None without a valid one."""
    head = message.replace("\r\n", "\n").partition("\n\n")[0]
    found = _HEADER.search(head)
    return seconds_of(found[1]) if found else None
