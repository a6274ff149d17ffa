"""Odd responses to an INVITE: status lines, challenges, redirections, answers."""

from services.dialer.tests.support.trunk.odd.draft import Change, Draft, all_of, header, more, start
from services.dialer.tests.support.trunk.odd.structure import STRUCTURE
from services.dialer.tests.support.trunk.raw_station import RawCall

_LINES: dict[str, bytes] = {
    "no phrase": b"SIP/2.0 180",
    "an empty phrase": b"SIP/2.0 180 ",
    "a phrase of 3,000 bytes": b"SIP/2.0 180 " + b"R" * 3_000,
    "a phrase with a zero": b"SIP/2.0 180 Rin\0ging",
    "a phrase in UTF-8": "SIP/2.0 180 Звонок".encode(),
    "a phrase in Latin-1": b"SIP/2.0 180 \xe9\xff\xfe",
    "a phrase of formats": b"SIP/2.0 180 %s%n%d%9999999s",
    "code 199": b"SIP/2.0 199 Early Dialog Terminated",
    "code 188": b"SIP/2.0 188 Unknown",
    "code 099": b"SIP/2.0 099 Low",
    "code 700": b"SIP/2.0 700 High",
    "code 1800": b"SIP/2.0 1800 Long",
    "code 18": b"SIP/2.0 18 Short",
    "code 0": b"SIP/2.0 0 None",
    "code -180": b"SIP/2.0 -180 Negative",
    "code of no number": b"SIP/2.0 one Ringing",
    "version 3": b"SIP/3.0 180 Ringing",
    "version in small letters": b"sip/2.0 180 Ringing",
    "two blanks": b"SIP/2.0  180  Ringing",
    "tabs": b"SIP/2.0\t180\tRinging",
    "HTTP": b"HTTP/1.1 200 OK",
    "299": b"SIP/2.0 299 Strange",
    "202": b"SIP/2.0 202 Accepted",
    "204": b"SIP/2.0 204 No Notification",
    "305 without a proxy": b"SIP/2.0 305 Use Proxy",
    "399": b"SIP/2.0 399 Strange",
    "423 without Min-Expires": b"SIP/2.0 423 Interval Too Brief",
    "494": b"SIP/2.0 494 Security Agreement Required",
    "499": b"SIP/2.0 499 Strange",
    "599": b"SIP/2.0 599 Strange",
    "699": b"SIP/2.0 699 Strange",
}
_UNAUTHORIZED, _PROXY = b"SIP/2.0 401 Unauthorized", b"SIP/2.0 407 Proxy Authentication Required"
_CHALLENGES: dict[str, bytes] = {
    "Digest alone": b"Digest",
    "no nonce": b'Digest realm="r"',
    "no realm": b'Digest nonce="n"',
    "an unknown algorithm": b'Digest realm="r", nonce="n", algorithm=ROT13',
    "a nonce of 3,000 bytes": b'Digest realm="r", nonce="' + b"n" * 3_000 + b'"',
    "Basic": b'Basic realm="r"',
    "nothing": b"",
    "an unclosed quotation mark": b'Digest realm="r, nonce=n',
    "an unknown qop": b'Digest realm="r", nonce="n", qop="auth-odd"',
    "twenty parameters": b"Digest " + b", ".join(b'p%d="v"' % index for index in range(20)),
}
_ANSWERS: dict[str, Change] = {
    "Session-Expires of 0": more(b"Session-Expires", b"0;refresher=uac"),
    "Session-Expires of 20 digits": more(b"Session-Expires", b"9" * 20),
    "Session-Expires of 1 by us": more(b"Session-Expires", b"1;refresher=uac"),
    "a refresher that is nobody": more(b"Session-Expires", b"1800;refresher=nobody"),
    "Supported of nonsense": more(b"Supported", b",,;;"),
    "Allow of nonsense": more(b"Allow", b",,\xff,,"),
    "Contact with a method": header(b"Contact", b"<sip:a@127.0.0.1;method=REGISTER?Subject=x>"),
    "Contact by telephone": header(b"Contact", b"<tel:+1>"),
    **{
        f"Contact {target.decode()}": header(b"Contact", b"<" + target + b">")
        for target in (
            b"sips:a@127.0.0.1",
            b"sip:a@127.0.0.1;transport=tls",
            b"sip:a@127.0.0.1;transport=tcp",
            b"sip:a@127.0.0.1;transport=ws",
            b"sip:a@[::1]",
            b"sip:a@127.0.0.1:0",
            b"sip:a@127.0.0.1:99999",
            b"sip:a@no.such.host.invalid",
            b"sip:a@127.0.0.1;maddr=[::1]",
            b"sip:a@255.255.255.255",
            b"mailto:a@127.0.0.1",
        )
    },
    "Record-Route by telephone": more(b"Record-Route", b"<tel:+1>;lr"),
    "Record-Route by TLS": more(b"Record-Route", b"<sips:127.0.0.1;lr>"),
    "Record-Route by IPv6": more(b"Record-Route", b"<sip:[::1];lr>"),
    "Record-Route of a strict router": more(b"Record-Route", b"<sip:127.0.0.1:9>"),
    "100 Record-Routes": all_of(*(more(b"Record-Route", b"<sip:127.0.0.%d;lr>" % n) for n in range(100))),
    "Reason of nonsense": more(b"Reason", b";;cause=,text="),
    "Content-Encoding": more(b"Content-Encoding", b"gzip"),
}

RESPONSES: dict[str, Change] = {
    **{f"180: {name}": all_of(start(b"SIP/2.0 180 Ringing"), change) for name, change in STRUCTURE.items()},
    **{f"line: {name}": start(line) for name, line in _LINES.items()},
    **{
        f"{kind}: {name}": all_of(start(line), more(field, value))
        for kind, line, field in (
            ("401", _UNAUTHORIZED, b"WWW-Authenticate"),
            ("407", _PROXY, b"Proxy-Authenticate"),
        )
        for name, value in _CHALLENGES.items()
    },
    "401: no challenge": start(_UNAUTHORIZED),
    "422: no Min-SE": start(b"SIP/2.0 422 Session Interval Too Small"),
    "422: Min-SE of 12 digits": all_of(
        start(b"SIP/2.0 422 Session Interval Too Small"), more(b"Min-SE", b"999999999999")
    ),
    "302: no Contact": all_of(start(b"SIP/2.0 302 Moved Temporarily"), header(b"Contact", b"")),
    "302: to nonsense": all_of(start(b"SIP/2.0 302 Moved Temporarily"), header(b"Contact", b"<sip:\xff@>")),
    "503: Retry-After of nonsense": all_of(start(b"SIP/2.0 503 No"), more(b"Retry-After", b"-1;;(")),
    "183: 100rel without RSeq": all_of(start(b"SIP/2.0 183 Progress"), more(b"Require", b"100rel")),
    "183: RSeq of 2^32": all_of(
        start(b"SIP/2.0 183 Progress"), more(b"Require", b"100rel"), more(b"RSeq", b"4294967296")
    ),
    "183: RSeq of 0": all_of(
        start(b"SIP/2.0 183 Progress"), more(b"Require", b"100rel"), more(b"RSeq", b"0")
    ),
    **{f"200: {name}": all_of(start(b"SIP/2.0 200 OK"), change) for name, change in _ANSWERS.items()},
}


def response(call: RawCall, change: Change) -> bytes:
    """Return the bytes of the response to the call's INVITE, with an answer as its body."""
    invite, sdp = call.invite, call.audio().encode()
    names = ("Via", "From", "To", "Call-ID", "CSeq")
    draft = Draft(
        b"SIP/2.0 200 OK",
        [(name.encode(), invite.header(name).encode()) for name in names]
        + [
            (b"Contact", f"<sip:{call.here}>".encode()),
            (b"Content-Type", b"application/sdp"),
            (b"Content-Length", str(len(sdp)).encode()),
        ],
        sdp,
    )
    draft.headers = [(name, value + b";tag=raw" if name == b"To" else value) for name, value in draft.headers]
    change(draft)
    return draft.encoded()
