"""The requests that end a call of a process that has died, made from the messages of the call."""

import re
import secrets
from collections.abc import Iterator

_CSEQ_AHEAD = 10_000
"""The dead process may have sent further requests in the dialog."""
_COMPACT = {"t": "to", "f": "from", "v": "via", "i": "call-id", "m": "contact"}
_URI = re.compile(r"<([^>]*)>")
_TAG = re.compile(r";\s*tag=", re.IGNORECASE)
_SENT_BY = re.compile(r"SIP\s*/\s*2\.0\s*/\s*UDP\s+(\[[^\]]+\]|[^\s:;]+):(\d+)", re.IGNORECASE)
_SUCCESS = re.compile(r"SIP/2\.0 2\d\d")


def cancel_of(invite: str) -> bytes:
    """Return the CANCEL of an INVITE that was sent (RFC 3261, 9.1)."""
    headers = _headers(invite)
    fields = [
        ("Via", _first(headers, "via")),
        ("Max-Forwards", "70"),
        *((name, _first(headers, name.lower())) for name in ("From", "To", "Call-ID")),
        ("CSeq", f"{_sequence(headers)} CANCEL"),
        *(("Route", value) for name, value in headers if name == "route"),
    ]
    return _request("CANCEL", _target(invite), fields)


def bye_of(invite: str, response: str) -> bytes | None:
    """Return a BYE of the dialog that a response has created (RFC 3261, 15); None if it has not.

    `invite` may be another request with the headers of the INVITE, such as its CANCEL; so for `ack_of`.
    """
    if not _TAG.search(_first(_headers(response), "to")):
        return None
    return _in_dialog("BYE", _CSEQ_AHEAD, invite, response)


def ack_of(invite: str, response: str) -> bytes:
    """Return the ACK of a final response (RFC 3261, 13.2.2.4 and 17.1.1.3)."""
    if is_success(response):
        return _in_dialog("ACK", 0, invite, response)
    sent = _headers(invite)
    fields = [
        ("Via", _first(sent, "via")),
        ("Max-Forwards", "70"),
        ("From", _first(sent, "from")),
        ("To", _first(_headers(response), "to")),
        ("Call-ID", _first(sent, "call-id")),
        ("CSeq", f"{_sequence(sent)} ACK"),
        *(("Route", value) for name, value in sent if name == "route"),
    ]
    return _request("ACK", _target(invite), fields)


def call_and_method(message: str) -> tuple[str, str]:
    """Return the Call-ID and the method of a request, or of the request that a response is for."""
    headers = _headers(message)
    return _first(headers, "call-id"), _first(headers, "cseq").rpartition(" ")[2]


def sent_by(request: str) -> tuple[str, int] | None:
    """Return the address in the Via of a request over UDP, to which the responses come."""
    found = _SENT_BY.match(_first(_headers(request), "via"))
    return None if found is None else (found[1].strip("[]"), int(found[2]))


def _in_dialog(method: str, ahead: int, invite: str, response: str) -> bytes:
    sent, received = _headers(invite), _headers(response)
    contact = _URI.search(_first(received, "contact"))
    via = re.sub(r";branch=[^;,\s]*", f";branch=z9hG4bK{secrets.token_hex(8)}", _first(sent, "via"))
    routes = [each for name, value in received if name == "record-route" for each in _listed(value)]
    fields = [
        ("Via", via),
        ("Max-Forwards", "70"),
        ("From", _first(sent, "from")),
        ("To", _first(received, "to")),
        ("Call-ID", _first(sent, "call-id")),
        ("CSeq", f"{_sequence(sent) + ahead} {method}"),
        *(("Route", route) for route in reversed(routes)),
    ]
    return _request(method, contact[1] if contact else _target(invite), fields)


def is_success(response: str) -> bool:
    return _SUCCESS.match(response) is not None


def _request(method: str, uri: str, fields: list[tuple[str, str]]) -> bytes:
    lines = [f"{method} {uri} SIP/2.0", *(f"{name}: {value}" for name, value in fields), "Content-Length: 0"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _headers(message: str) -> list[tuple[str, str]]:
    """Return names in lower case, and values; a continued line belongs to the one before."""
    head = message.replace("\r\n", "\n").partition("\n\n")[0]
    found: list[tuple[str, str]] = []
    for line in head.split("\n")[1:]:
        if line[:1] in {" ", "\t"} and found:
            found[-1] = found[-1][0], f"{found[-1][1]} {line.strip()}"
            continue
        name, _, value = line.partition(":")
        name = name.strip().lower()
        found.append((_COMPACT.get(name, name), value.strip()))
    return found


def _first(headers: list[tuple[str, str]], name: str) -> str:
    return next((value for known, value in headers if known == name), "")


def _sequence(headers: list[tuple[str, str]]) -> int:
    number = _first(headers, "cseq").split(" ", 1)[0]
    return int(number) if number.isdecimal() else 1


def _target(invite: str) -> str:
    words = invite.split(" ", 2)
    return words[1] if len(words) > 1 else ""


def _listed(value: str) -> Iterator[str]:
    """Yield the elements of a list of addresses; commas within `<>` do not separate."""
    depth, start = 0, 0
    for index, character in enumerate(value):
        depth += (character == "<") - (character == ">")
        if character == "," and depth == 0:
            yield value[start:index].strip()
            start = index + 1
    yield value[start:].strip()
