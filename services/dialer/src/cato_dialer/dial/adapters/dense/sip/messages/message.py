"""Parse and write SIP messages (RFC 3261, 7 and 25).

Only what every message needs is read at once; other headers are read when they are asked for.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cato_dialer.dial.adapters.dense.sip.messages.header_values import (
    address_fault,
    after_address,
    parameter,
    split_list,
    via_fault,
)

MAX_MESSAGE = 65_535
KNOWN_METHODS = frozenset(
    {
        *("INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "INFO", "UPDATE", "PRACK"),
        *("NOTIFY", "SUBSCRIBE", "REFER", "MESSAGE", "REGISTER", "PUBLISH"),
    }
)
_MAX_HEADERS = 200
_FOLD = re.compile(r"\r\n[ \t]+")
_CONTROLS = bytes((*range(9), *range(10, 32)))
_QUOTED_CONTROL = re.compile(rb"\\[\x00-\x09\x0b\x0c\x0e-\x1f]")
_CODE = re.compile(r"[1-6][0-9]{2}")
_TOKEN = re.compile(r"[A-Za-z0-9.!#$&^|%*_+`'~-]{1,200}")
_LONGEST_METHOD = 64
_CSEQ = re.compile(r"([0-9]{1,10})[ \t]+(\S+)")
_LENGTH = re.compile(r"[0-9]{1,9}")
_COMPACT = {
    "a": "accept-contact",
    "b": "referred-by",
    "c": "content-type",
    "d": "request-disposition",
    "e": "content-encoding",
    "f": "from",
    "i": "call-id",
    "j": "reject-contact",
    "k": "supported",
    "l": "content-length",
    "m": "contact",
    "o": "event",
    "r": "refer-to",
    "s": "subject",
    "t": "to",
    "u": "allow-events",
    "v": "via",
    "x": "session-expires",
    "y": "identity",
}
_USUAL = (
    *("Via", "From", "To", "Call-ID", "CSeq", "Contact", "Content-Length", "Content-Type", "Max-Forwards"),
    *("Record-Route", "Route", "Allow", "Supported", "Require", "Server", "User-Agent", "Accept", "Date"),
    *("Session-Expires", "Min-SE", "Reason", "RSeq", "Allow-Events", "P-Asserted-Identity"),
)
_NAMES = {name: name.lower() for name in _USUAL} | {short.upper(): name for short, name in _COMPACT.items()}
_NAMES |= _COMPACT
_ONCE = ("from", "to", "call-id", "cseq", "max-forwards")
_NEEDED = ("via", "from", "to", "call-id", "cseq")


class MessageError(ValueError):
    """The bytes are not a valid message. `refusal` says how a request can be rejected, if at all."""

    def __init__(self, reason: str, refusal: "Refusal | None" = None) -> None:
        super().__init__(reason)
        self.refusal = refusal


@dataclass(slots=True)
class Received:
    """A received message that has all mandatory headers.

    `code` is None for a request, `uri` is "" for a response, `method` is that of the CSeq header.
    """

    code: int | None
    phrase: str
    method: str
    uri: str
    fields: dict[str, list[str]]
    """The values of each header, by its long name in lower case."""
    body: bytes
    sequence: int = 0
    call_id: str = ""
    branch: str = ""

    def header(self, name: str) -> str | None:
        """Return the first value of a header."""
        values = self.fields.get(name.lower())
        return values[0] if values else None

    def headers(self, name: str) -> Sequence[str]:
        """Return all lines of a header."""
        return self.fields.get(name.lower(), ())

    def listed(self, name: str) -> list[str]:
        """Return the elements of a header that is a list, such as Contact or Record-Route, in order."""
        return [item for line in self.headers(name) for item in split_list(line)]

    def tokens(self, name: str) -> set[str]:
        """Return the elements of a list of option tags or methods in lower case."""
        return {item.lower() for item in self.listed(name)}

    def number(self, name: str) -> int | None:
        """Return the number that a header begins with, None without one."""
        match = re.match(r"\s*(\d{1,10})", self.header(name) or "")
        return int(match[1]) if match else None

    @property
    def from_tag(self) -> str:
        return parameter(after_address(self.header("from") or ""), "tag") or ""

    @property
    def to_tag(self) -> str:
        return parameter(after_address(self.header("to") or ""), "tag") or ""

    @property
    def content_type(self) -> str:
        """The media type without parameters, in lower case."""
        return (self.header("content-type") or "").partition(";")[0].strip().lower()


@dataclass(frozen=True, slots=True)
class Refusal:
    """How to reject a request that is not valid: status code, phrase, and what can be read of it."""

    code: int
    phrase: str
    request: Received


class _FaultError(Exception):
    """What is wrong with a message whose headers can be read, and the code that rejects it."""

    def __init__(self, why: str, code: int = 400, phrase: str = "Bad Request") -> None:
        super().__init__(why)
        self.code = code
        self.phrase = phrase


def parse(data: bytes) -> Received:
    """Return the message in one datagram or one frame of a stream.

    Raises:
        MessageError: with the reason.

    """
    head, separator, body = data.lstrip(b"\r\n").partition(b"\r\n\r\n")
    if not separator or len(data) > MAX_MESSAGE:
        raise MessageError("no end of the headers" if not separator else "too long")
    _check_controls(head)
    # The network may send any bytes as text.
    text = head.decode("utf-8", "replace")
    if "\r\n " in text or "\r\n\t" in text:
        text = _FOLD.sub(" ", text)
    first, *lines = text.split("\r\n")
    if len(lines) > _MAX_HEADERS:
        raise MessageError("too many headers")
    fields = _fields(lines)
    if first[:8].upper() == "SIP/2.0 ":
        return _response(first, fields, body)
    words = first.split(" ")
    request = Received(None, "", words[0], words[1] if len(words) > 1 else "", fields, body)
    try:
        _check_request(request, words)
    except _FaultError as fault:
        # Without Via there is no one to answer, and an ACK is never answered.
        readable = "via" in fields and words[0] != "ACK" and _is_request_line(words)
        refusal = Refusal(fault.code, fault.phrase, request) if readable else None
        raise MessageError(str(fault), refusal) from fault
    return request


def _check_controls(head: bytes) -> None:
    plain = head.replace(b"\r\n", b"")
    if len(plain.translate(None, _CONTROLS)) == len(plain):
        return
    plain = _QUOTED_CONTROL.sub(b"", plain)  # RFC 3261, 25.1: allowed in quoted strings behind a backslash
    if len(plain.translate(None, _CONTROLS)) != len(plain):
        raise MessageError("a control character in a header")


def _fields(lines: Sequence[str]) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        key = _NAMES.get(name)
        if key is None:
            key = name.rstrip(" \t")
            if not colon or not _TOKEN.fullmatch(key):
                raise MessageError("a header is not valid")
            key = key.lower()
            key = _COMPACT.get(key, key)
        known = fields.get(key)
        if known is None:
            fields[key] = [value.strip()]
        else:
            known.append(value.strip())
    return fields


def _response(first: str, fields: dict[str, list[str]], body: bytes) -> Received:
    code, _, phrase = first[8:].partition(" ")
    if not _CODE.fullmatch(code):
        raise MessageError("the status code is not valid")
    response = Received(int(code), phrase, "", "", fields, body)
    try:
        response.method = _check_common(response)
    except _FaultError as fault:
        raise MessageError(str(fault)) from fault
    return response


def _is_request_line(words: Sequence[str]) -> bool:
    method = words[0]
    return (
        len(method) <= _LONGEST_METHOD
        and bool(_TOKEN.fullmatch(method))
        and any(word[:4].upper() == "SIP/" for word in words[1:])
    )


def _check_request(request: Received, words: Sequence[str]) -> None:
    """Raises: _FaultError."""
    if not _is_request_line(words):
        raise _FaultError("neither a request nor a response")
    if len(words) != 3:  # noqa: PLR2004 - method, URI and version
        raise _FaultError("the request line is not valid")
    version = words[2].upper()
    if version != "SIP/2.0":
        raise _FaultError("the version is not 2.0", 505, "Version Not Supported")
    method = _check_common(request)
    if method != request.method:
        if request.method not in KNOWN_METHODS:
            raise _FaultError("the method is not known", 501, "Not Implemented")
        raise _FaultError("the methods of request line and CSeq differ")
    if any(len(request.headers(name)) > 1 for name in _ONCE):
        raise _FaultError("a header that may be there once is there twice")
    _check_addresses(request)


def _check_addresses(request: Received) -> None:
    """Raises: _FaultError."""
    uri = request.uri
    with_headers = uri[:4].lower() in {"sip:", "sips"} and "?" in uri.rpartition("@")[2]
    if not uri or uri.startswith("<") or with_headers:
        raise _FaultError("the request URI is not valid")
    faults = [via_fault(line) for line in request.headers("via")]
    addresses = (*request.headers("from"), *request.headers("to"), *request.listed("contact"))
    faults += [address_fault(value) for value in addresses]
    for fault in filter(None, faults):
        raise _FaultError(fault)


def _check_common(message: Received) -> str:
    """Read the headers that requests and responses have in common, and return the method in CSeq.

    Raises: _FaultError.
    """
    fields = message.fields
    for name in _NEEDED:
        if name not in fields:
            raise _FaultError(f"{name} is missing")
    match = _CSEQ.fullmatch(fields["cseq"][0])
    if match is None or int(match[1]) >= 1 << 32:
        raise _FaultError("CSeq is not valid")
    lengths = fields.get("content-length")
    if lengths is not None:
        if not _LENGTH.fullmatch(lengths[0]) or lengths.count(lengths[0]) != len(lengths):
            raise _FaultError("Content-Length is not valid")
        length = int(lengths[0])
        if length > len(message.body):
            raise _FaultError("the body is shorter than Content-Length")
        message.body = message.body[:length]
    via = split_list(fields["via"][0])
    if not via:
        raise _FaultError("Via is empty")
    message.sequence = int(match[1])
    message.call_id = fields["call-id"][0]
    message.branch = parameter(via[0], "branch") or ""
    return match[2]


def request_bytes(method: str, uri: str, headers: Iterable[tuple[str, str]], body: bytes = b"") -> bytes:
    """Return the bytes of a request; Content-Length is added."""
    return _bytes(f"{method} {uri} SIP/2.0", headers, body)


def response_bytes(
    request: Received,
    code: int,
    phrase: str,
    extra: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
    *,
    tag: str = "",
) -> bytes:
    """Return a response to a request; `tag` is put on To where the request has none (RFC 3261, 8.2.6).

    A request that is not valid may lack some headers; the response lacks them, too.
    """
    headers = [("Via", via) for via in request.headers("via")]
    headers += [("Record-Route", route) for route in request.headers("record-route")]
    headers += [("From", value) for value in request.headers("from")[:1]]
    for to in request.headers("to")[:1]:
        headers.append(("To", to if not tag or request.to_tag else f"{to};tag={tag}"))
    headers += [("Call-ID", value) for value in request.headers("call-id")[:1]]
    headers += [("CSeq", value) for value in request.headers("cseq")[:1]]
    return _bytes(f"SIP/2.0 {code} {phrase}", [*headers, *extra], body)


def _bytes(first: str, headers: Iterable[tuple[str, str]], body: bytes) -> bytes:
    lines = [first, *[f"{name}: {value}" for name, value in headers], f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode("utf-8", "replace") + body
