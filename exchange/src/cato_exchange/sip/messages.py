"""SIP messages: tolerant parsing in front of `sipmessage`, and responses built from raw headers.

Headers that are returned to the peer (Via, From, To) are copied as text: `sipmessage` would
percent-encode characters that are allowed in a branch or a tag.
"""

import re
from http import HTTPStatus

from sipmessage import Address, Message, Request, Response

ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, REGISTER"
SERVER = "cato-exchange"

_FOLD = re.compile(rb"[ \t]*\r\n[ \t]+")
_SPACE_BEFORE_COLON = re.compile(rb"^([!-9;-~]+)[ \t]+:", re.MULTILINE)
_TAG = re.compile(r";\s*tag\s*=\s*([^\s;,>]+)", re.IGNORECASE)
_RPORT = re.compile(r";\s*rport\s*(?=;|$)", re.IGNORECASE)
_SENT_BY = re.compile(r"^SIP\s*/\s*2\.0\s*/\s*\w+\s+(\[[^\]]+\]|[^:;\s]+)\s*(?::\s*(\d+))?", re.IGNORECASE)
_BRANCH = re.compile(r";\s*branch\s*=\s*([^\s;,]+)", re.IGNORECASE)
_MANDATORY = ("Via", "From", "To", "Call-ID", "CSeq")

# RFC 3261 21; where HTTP has another phrase or none.
_REASONS = {
    100: "Trying",
    180: "Ringing",
    181: "Call Is Being Forwarded",
    183: "Session Progress",
    302: "Moved Temporarily",
    380: "Alternative Service",
    404: "Not Found",
    408: "Request Timeout",
    415: "Unsupported Media Type",
    420: "Bad Extension",
    422: "Session Interval Too Small",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    482: "Loop Detected",
    484: "Address Incomplete",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    491: "Request Pending",
    500: "Server Internal Error",
    504: "Server Time-out",
    600: "Busy Everywhere",
    603: "Decline",
    604: "Does Not Exist Anywhere",
    606: "Not Acceptable",
    607: "Unwanted",
}


def reason_phrase(code: int) -> str:
    if code in _REASONS:
        return _REASONS[code]
    return HTTPStatus(code).phrase if code in HTTPStatus.__members__.values() else "Unknown"


def parse(data: bytes) -> Request | Response:
    """Parse one datagram, or one message framed by its length.

    Raises: ValueError if it is not a SIP message with the mandatory headers.
    """
    head, blank, body = data.lstrip(b"\r\n").partition(b"\r\n\r\n")
    head = _SPACE_BEFORE_COLON.sub(rb"\1:", _FOLD.sub(b" ", head))
    message = Message.parse(head + blank + body)
    for name in _MANDATORY:
        if message.headers.get(name) is None:
            raise ValueError(f"a SIP message without {name}")
    _ = message.cseq
    length = message.content_length
    if length is not None:
        if not 0 <= length <= len(body):
            raise ValueError(f"Content-Length {length}, but {len(body)} bytes of body")
        message.body = body[:length]
    return message


def tag_of(address: str) -> str | None:
    """Return the tag of a raw From or To value."""
    found = _TAG.search(address[address.rfind(">") + 1 :])
    return found.group(1) if found else None


def branch_of(via: str) -> str:
    found = _BRANCH.search(via)
    return found.group(1) if found else ""


def sent_by(via: str) -> tuple[str, int | None]:
    """Return host and port of the raw topmost Via; the port is None if Via has none.

    Raises: ValueError.
    """
    found = _SENT_BY.match(via.partition(",")[0].strip())
    if found is None:
        raise ValueError("Via is not valid")
    return found.group(1), int(found.group(2)) if found.group(2) else None


def wants_rport(via: str) -> bool:
    return _RPORT.search(via.partition(",")[0]) is not None


def mark_received(request: Request, host: str, port: int) -> None:
    """Add the source address to the topmost Via (RFC 3261 18.2.1, RFC 3581 4)."""
    values = request.headers.getlist("Via")
    top, comma, rest = values[0].partition(",")
    asked = _RPORT.search(top) is not None
    top = _RPORT.sub(f";rport={port}", top)
    if asked or sent_by(top)[0] != host:
        top = f"{top};received={host}"
    request.headers.setlist("Via", [top + comma + rest, *values[1:]])


def reply(
    request: Request,
    code: int,
    *,
    reason: str | None = None,
    to_tag: str | None = None,
    headers: dict[str, str] | None = None,
    body: bytes = b"",
    content_type: str = "application/sdp",
) -> Response:
    """Return a response to the request; `to_tag` is added to To if it has no tag."""
    response = Response(code, reason or reason_phrase(code), body)
    for via in request.headers.getlist("Via"):
        response.headers.add("Via", via)
    for route in request.headers.getlist("Record-Route") if code < 300 else ():  # noqa: PLR2004
        response.headers.add("Record-Route", route)
    to = request.headers["To"]
    response.headers.add("From", request.headers["From"])
    response.headers.add("To", f"{to};tag={to_tag}" if to_tag and tag_of(to) is None else to)
    response.headers.add("Call-ID", request.call_id)
    response.headers.add("CSeq", request.headers["CSeq"])
    response.headers.add("Server", SERVER)
    for name, value in (headers or {}).items():
        response.headers.add(name, value)
    if body:
        response.headers.add("Content-Type", content_type)
    response.headers.add("Content-Length", str(len(body)))
    return response


def user_of(address: str) -> tuple[str, str]:
    """Return user part and display name of a raw From, To or identity value; empty if missing."""
    try:
        parsed = Address.parse(address.partition(",")[0] if "<" not in address else address)
    except ValueError:
        return "", ""
    return parsed.uri.user or "", parsed.name
