"""Read parts of header values: elements of lists, parameters, addresses.

Everything takes time in proportion to the length: header values come from the network.
"""

import re
from functools import cache

_VIA_ELEMENT = re.compile(r"SIP[ \t]*/[ \t]*2\.0[ \t]*/[ \t]*[^\s/;,]+[ \t]+[^\s;,]", re.IGNORECASE)


def split_list(line: str) -> list[str]:
    """Split a header line at its commas, but not within quotes or angle brackets; drop empty elements."""
    if "," not in line:
        line = line.strip()
        return [line] if line else []
    return [item for item in _split(line, ",") if item]


def parameter(text: str, name: str) -> str | None:
    """Return a parameter of a header value (`;name=value`), None if it is not there."""
    match = _parameter_pattern(name).search(text)
    return None if match is None else (match[1] or "").strip('"')


def uri_of(value: str) -> str | None:
    """Return the URI of a From, To, Contact or route value."""
    at = _bracket(value)
    if at >= 0:
        end = value.find(">", at)
        return value[at + 1 : end].strip() if end > at else None
    return value.partition(";")[0].strip() or None


def after_address(value: str) -> str:
    """Return the parameters behind the address of a From, To or Contact value."""
    at = _bracket(value)
    if at >= 0:
        return value[value.find(">", at) + 1 :]
    _, separator, rest = value.partition(";")
    return separator + rest


def address_fault(value: str) -> str | None:
    """Return what is wrong with a From, To or Contact value, None if it can be used."""
    at = _bracket(value)
    if at >= 0:
        return None if value.find(">", at) > at else "an address without its closing bracket"
    if value.lstrip().startswith('"'):
        return "a display name without its closing quote"
    if "?" in value.partition(";")[0]:
        return "an address with headers that is not in brackets"  # RFC 3261, 20.10
    return None


def via_fault(line: str) -> str | None:
    """Return what is wrong with a Via line, None if it can be used."""
    for element in _split(line, ","):
        sent_by, *parameters = _split(element, ";")
        if not _VIA_ELEMENT.match(sent_by) or not all(parameters):
            return "Via is not valid"
    return None


def _split(line: str, separator: str) -> list[str]:
    """Split outside of quotes and angle brackets; empty elements are kept."""
    items, start, quoted, bracket, escaped = [], 0, False, False, False
    for index, char in enumerate(line):
        if escaped:
            escaped = False
        elif quoted:
            quoted, escaped = char != '"', char == "\\"
        elif char == '"':
            quoted = True
        elif char in "<>":
            bracket = char == "<"
        elif char == separator and not bracket:
            items.append(line[start:index].strip())
            start = index + 1
    items.append(line[start:].strip())
    return items


@cache
def _parameter_pattern(name: str) -> re.Pattern[str]:
    return re.compile(
        rf";[ \t]*{name}(?:[ \t]*=[ \t]*(\"[^\"]*\"|[^;,\s\"]*))?[ \t]*(?=;|,|$)", re.IGNORECASE
    )


def _bracket(value: str) -> int:
    """Return the index of the URI's opening bracket, after a quoted display name; -1 without one."""
    index = 0
    if value.lstrip().startswith('"'):
        index = value.index('"') + 1
        while index < len(value) and value[index] != '"':
            index += 2 if value[index] == "\\" else 1
    return value.find("<", index)
