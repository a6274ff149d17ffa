"""Parse and write SIP messages.

The library `sipmessage` splits a message into its parts. It does not accept folded headers and blanks before
the colon, which RFC 3261 allows, so these are normalised first. Header values are scanned here without the
library: its regular expressions backtrack without a bound on hostile input.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sipmessage import Message, Request, Response

MAX_MESSAGE = 65_535
_MAX_HEADERS = 200
_FOLD = re.compile(rb"\r\n[ \t]+")
_BLANK_BEFORE_COLON = re.compile(rb"(?m)^([!#-'*+.0-9A-Z^-z|~-]{1,64})[ \t]+:")
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f]")
_CODES = range(100, 700)
_METHOD = re.compile(r"[A-Za-z0-9.!%*_+`'~-]{1,32}")
_CSEQ = re.compile(r"(\d{1,10})[ \t]+(\S+)")


class MessageError(ValueError):
    """The bytes are not a SIP message that can be handled."""


@dataclass(frozen=True, slots=True)
class Received:
    """A received message that has all mandatory headers.

    `code` is None for a request, `method` is that of the CSeq header.
    """

    code: int | None
    phrase: str
    method: str
    sequence: int
    call_id: str
    branch: str
    from_tag: str
    to_tag: str
    inner: Request | Response

    def header(self, name: str) -> str | None:
        """Return the first value of a header."""
        return self.inner.headers.get(name)

    def headers(self, name: str) -> Sequence[str]:
        """Return all lines of a header."""
        return self.inner.headers.getlist(name)

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
    def body(self) -> bytes:
        return self.inner.body

    @property
    def content_type(self) -> str:
        """The media type without parameters, in lower case."""
        return (self.header("Content-Type") or "").partition(";")[0].strip().lower()


def parse(data: bytes) -> Received:
    """Return the message in one datagram or one frame of a stream.

    Raises:
        MessageError: with the reason.

    """
    head, separator, body = data.lstrip(b"\r\n").partition(b"\r\n\r\n")
    if not separator or len(data) > MAX_MESSAGE:
        raise MessageError("no end of the headers" if not separator else "too long")
    if head.count(b"\r\n") > _MAX_HEADERS:
        raise MessageError("too many headers")
    head = _BLANK_BEFORE_COLON.sub(rb"\1:", _FOLD.sub(b" ", head))
    if _CONTROL.search(head.replace(b"\r\n", b"")):
        raise MessageError("a control character in a header")
    # The network may send any bytes as text; they are decoded once, here.
    text = head.decode("utf-8", "replace").encode("utf-8")
    try:
        inner = Message.parse(text + b"\r\n\r\n" + body)
        return _received(inner)
    except MessageError:
        raise
    except (ValueError, KeyError, IndexError, RecursionError) as error:
        raise MessageError(str(error) or type(error).__name__) from error


def _received(inner: Request | Response) -> Received:
    match = _CSEQ.fullmatch(inner.headers["CSeq"])
    if match is None or int(match[1]) >= 1 << 32:
        raise MessageError("CSeq is not valid")
    length = inner.headers.get("Content-Length")
    if length is not None:
        if not length.isascii() or not length.isdigit() or len(length) > 9:  # noqa: PLR2004 - digits
            raise MessageError("Content-Length is not a number")
        if int(length) > len(inner.body):
            raise MessageError("the body is shorter than Content-Length")
        inner.body = inner.body[: int(length)]
    code, phrase = None, ""
    if isinstance(inner, Response):
        code, phrase = inner.code, inner.phrase
        if code not in _CODES:
            raise MessageError("the status code is out of range")
    elif match[2] != inner.method or not _METHOD.fullmatch(inner.method):
        raise MessageError("the methods of request line and CSeq differ")
    via = split_list(inner.headers["Via"])
    if not via:
        raise MessageError("Via is empty")
    return Received(
        code=code,
        phrase=phrase,
        method=match[2],
        sequence=int(match[1]),
        call_id=inner.headers["Call-ID"],
        branch=parameter(via[0], "branch") or "",
        from_tag=parameter(after_address(inner.headers["From"]), "tag") or "",
        to_tag=parameter(after_address(inner.headers["To"]), "tag") or "",
        inner=inner,
    )


def split_list(line: str) -> list[str]:
    """Split a header line at its commas, but not within quotes or angle brackets."""
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
        elif char == "," and not bracket:
            items.append(line[start:index].strip())
            start = index + 1
    items.append(line[start:].strip())
    return [item for item in items if item]


def parameter(text: str, name: str) -> str | None:
    """Return a parameter of a header value (`;name=value`), None if it is not there."""
    match = re.search(
        rf";[ \t]*{name}(?:[ \t]*=[ \t]*(\"[^\"]*\"|[^;,\s\"]*))?[ \t]*(?=;|,|$)", text, re.IGNORECASE
    )
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


def _bracket(value: str) -> int:
    """Return the index of the URI's opening bracket, after a quoted display name; -1 without one."""
    index = 0
    if value.lstrip().startswith('"'):
        index = value.index('"') + 1
        while index < len(value) and value[index] != '"':
            index += 2 if value[index] == "\\" else 1
    return value.find("<", index)


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
    """Return a response to a request; `tag` is put on To where the request has none (RFC 3261, 8.2.6)."""
    to = request.header("To") or ""
    headers = [("Via", via) for via in request.headers("Via")]
    headers += [("Record-Route", route) for route in request.headers("Record-Route")]
    headers += [
        ("From", request.header("From") or ""),
        ("To", to if request.to_tag or not tag else f"{to};tag={tag}"),
        ("Call-ID", request.call_id),
        ("CSeq", f"{request.sequence} {request.method}"),
        *extra,
    ]
    return _bytes(f"SIP/2.0 {code} {phrase}", headers, body)


def _bytes(first: str, headers: Iterable[tuple[str, str]], body: bytes) -> bytes:
    lines = [first, *(f"{name}: {value}" for name, value in headers), f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode("utf-8", "replace") + body
