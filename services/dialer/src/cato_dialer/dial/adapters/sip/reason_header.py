"""The header fields that say why a call ended: `Reason` (RFC 3326, with the cause of Q.850) and `Warning`.

This module imports the standard library alone, so that a SIP worker can load it.
"""

import re
from collections.abc import Iterable, Sequence

_LONGEST = 300
_FOLDING = re.compile(r"\r?\n[ \t]+")
_NOT_TEXT = re.compile(r"[\x00-\x20\x7f]+")


def reason_of(reasons: Iterable[str], warnings: Iterable[str]) -> str | None:
    """Return the values of the fields as one text, None without a value.

    Those of `Warning` begin with its name: `Q.850;cause=17;text="User busy", Warning: 399 pbx "trunk full"`.
    """
    values = [*_one_line(reasons), *(f"Warning: {warning}" for warning in _one_line(warnings))]
    return ", ".join(values)[:_LONGEST] or None


def reason_of_message(message: str) -> str | None:
    """Return the same of a whole SIP message."""
    head = _FOLDING.sub(" ", message.replace("\r\n\r\n", "\n\n").split("\n\n", 1)[0])
    lines = head.splitlines()[1:]
    return reason_of(_values(lines, "reason"), _values(lines, "warning"))


def _one_line(values: Iterable[str]) -> list[str]:
    cleaned = (_NOT_TEXT.sub(" ", value).strip() for value in values)
    return [value for value in cleaned if value]


def _values(lines: Sequence[str], name: str) -> list[str]:
    fields = (line.partition(":") for line in lines)
    return [value for found, _, value in fields if found.strip().lower() == name]
