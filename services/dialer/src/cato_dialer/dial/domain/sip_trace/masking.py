"""Take personal data out of a SIP message.

A masked message has the length of the original, so that it can still be parsed: letters and digits become
`x`. What is needed to follow a call stays: addresses, tags, branches, the Call-ID, and the description of the
audio. What is not known to be harmless is masked.
"""

import re

_ALNUM = re.compile(rb"[0-9A-Za-z\x80-\xff]")
_LONG_NUMBER = re.compile(rb"[0-9]{4,}")
_CREDENTIALS = re.compile(rb"(?im)^((?:proxy-)?authorization[ \t]*:)[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*")
_USER = re.compile(rb"(?i)\b(sips?:)([^@\s<>\"]{1,1000})@")
_TEL = re.compile(rb"(?i)\b(tel:)([^;>\s,\"]+)")
_FOLDED = re.compile(rb"\r?\n[ \t]+")
_SDP_PERSONAL = re.compile(rb"(?m)^([siuep]=)([^\r\n]*)")
_SDP_OWNER = re.compile(rb"(?m)^(o=)(\S+)")
_SIGNAL = re.compile(rb"(?im)^([ \t]*signal[ \t]*=[ \t]*)(\S+)")
_PLAIN_HEADERS = frozenset(
    b"""accept accept-encoding accept-language allow allow-events call-id content-disposition
    content-encoding content-length content-type cseq date event expires max-forwards min-expires min-se
    mime-version proxy-authenticate proxy-require rack require retry-after rseq server
    session-expires subscription-state supported timestamp unsupported user-agent via www-authenticate
    c i k l o u v x""".split()
)
"""Headers without personal data, and their short forms."""
_ADDRESS_HEADERS = frozenset(
    b"""from to contact f t m b r p-asserted-identity p-preferred-identity remote-party-id diversion
    history-info refer-to referred-by reply-to p-called-party-id route record-route path service-route
    p-associated-uri""".split()
)
"""Headers with addresses: beside the users and names of these, their parameters are needed."""
_TEXT_HEADERS = frozenset(b"reason warning privacy x-asterisk-hangupcause x-asterisk-hangupcausecode".split())
"""Headers with a text that explains something; long numbers in it are masked."""


def without_credentials(message: bytes) -> bytes:
    """Return the message without the values of `Authorization` and `Proxy-Authorization`."""
    head, blank, body = _parted(message)
    return _CREDENTIALS.sub(rb"\1 removed", head) + blank + body


def masked(message: bytes) -> bytes:
    """Return the message without personal data and credentials."""
    head, blank, body = _parted(without_credentials(message))
    first, *rest = re.split(rb"(?<=\n)(?![ \t])", head)
    lines = [_first_line(first), *(_header(line) for line in rest)]
    return b"".join(lines) + blank + _body(_content_type(rest), body)


def _parted(message: bytes) -> tuple[bytes, bytes, bytes]:
    """Return the head with the end of its last line, the empty line, and the body."""
    found = re.search(rb"\r?\n(\r?\n)", message)
    if found is None:
        return message, b"", b""
    return message[: found.start(1)], found[1], message[found.end() :]


def _first_line(line: bytes) -> bytes:
    if line.startswith(b"SIP/2.0 "):
        return _LONG_NUMBER.sub(_hidden, _users(line))
    method, blank, rest = line.partition(b" ")
    uri, space, version = rest.rpartition(b" ")
    if not blank or not version.startswith(b"SIP/2.0"):
        return _blanked(line)
    return method + blank + _users(uri) + space + version


def _header(line: bytes) -> bytes:
    name, colon, value = line.partition(b":")
    word = name.strip().lower()
    if not colon:
        return _blanked(line)
    if word in _PLAIN_HEADERS:
        return name + colon + _users(value)
    if word in _ADDRESS_HEADERS:
        return name + colon + _names(_users(value))
    if word in _TEXT_HEADERS:
        return name + colon + _LONG_NUMBER.sub(_hidden, _users(value))
    if word in {b"authorization", b"proxy-authorization"}:
        return line
    return name + colon + _blanked(value)


def _names(value: bytes) -> bytes:
    """Mask what stands before each `<`: a display name, and from the second one on the parameters, too."""
    name, *rest = value.split(b"<")
    if not rest:
        return value
    parts = [_blanked(name)]
    for part in rest[:-1]:
        address, end, after = part.partition(b">")
        parts.append(address + end + _blanked(after))
    return b"<".join([*parts, rest[-1]])


def _users(value: bytes) -> bytes:
    """Mask the users of addresses."""
    value = _USER.sub(lambda found: found[1] + _blanked(found[2]) + b"@", value)
    return _TEL.sub(lambda found: found[1] + _blanked(found[2]), value)


def _content_type(headers: list[bytes]) -> bytes:
    for line in headers:
        name, _, value = line.partition(b":")
        if name.strip().lower() in {b"content-type", b"c"}:
            return _FOLDED.sub(b" ", value).partition(b";")[0].strip().lower()
    return b""


def _body(content_type: bytes, body: bytes) -> bytes:
    if content_type == b"application/sdp":
        body = _SDP_OWNER.sub(lambda found: found[1] + _blanked(found[2]), body)
        return _SDP_PERSONAL.sub(lambda found: found[1] + _blanked(found[2]), body)
    if content_type == b"application/dtmf-relay":
        return _SIGNAL.sub(lambda found: found[1] + b"x" * len(found[2]), body)
    return re.sub(rb"[^\s\x00-\x1f]", b"x", body)


def _blanked(text: bytes) -> bytes:
    return _ALNUM.sub(b"x", text)


def _hidden(found: re.Match[bytes]) -> bytes:
    return b"x" * len(found[0])
