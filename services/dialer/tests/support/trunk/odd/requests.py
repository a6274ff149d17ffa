"""Odd requests, in a call and from outside."""

import re

from services.dialer.tests.support.trunk.odd.draft import (
    Change,
    Draft,
    all_of,
    body,
    edited,
    header,
    more,
    start,
)
from services.dialer.tests.support.trunk.odd.structure import STRUCTURE
from services.dialer.tests.support.trunk.raw_station import RawCall

_RELAY = b"application/dtmf-relay"


def method(name: bytes) -> Change:
    """Make it a request of this method."""

    def change(draft: Draft) -> None:
        draft.start = name + b" " + draft.start.partition(b" ")[2]
        header(b"CSeq", draft.value(b"CSeq").partition(b" ")[0] + b" " + name)(draft)

    return change


def line(change_line: bytes) -> Change:
    return start(change_line)


_OUTSIDE = all_of(header(b"Call-ID", b"outside"), header(b"To", b"<sip:1@127.0.0.1>"))
_STRANGER = header(b"From", b"<sip:stranger@127.0.0.1>;tag=stranger")

_LINES: dict[str, Change] = {
    "no URI": line(b"OPTIONS SIP/2.0"),
    "no version": line(b"OPTIONS sip:1@127.0.0.1"),
    "version 7": line(b"OPTIONS sip:1@127.0.0.1 SIP/7.0"),
    "two blanks": line(b"OPTIONS  sip:1@127.0.0.1  SIP/2.0"),
    "a URI in brackets": line(b"OPTIONS <sip:1@127.0.0.1> SIP/2.0"),
    "a URI without a host": line(b"OPTIONS sip: SIP/2.0"),
    "a URI of http": line(b"OPTIONS http://127.0.0.1/ SIP/2.0"),
    "a URI of 3,000 bytes": line(b"OPTIONS sip:" + b"1" * 3_000 + b"@127.0.0.1 SIP/2.0"),
    "a URI with odd escapes": line(b"OPTIONS sip:%zz%@127.0.0.1 SIP/2.0"),
    "another method than in CSeq": line(b"BYE sip:1@127.0.0.1 SIP/2.0"),
    "HTTP": line(b"GET / HTTP/1.1"),
    "a method of 300 bytes": method(b"M" * 300),
    "a method of odd characters": method(b"!#%"),
    "a method in small letters": method(b"bye"),
}
_METHODS: dict[str, Change] = {
    "INVITE without an offer": method(b"INVITE"),
    "INVITE on hold at 0.0.0.0": all_of(
        method(b"INVITE"), body(b"v=0\r\no=- 1 2 IN IP4 0.0.0.0\r\ns=-\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n")
    ),
    "INVITE with an empty offer": all_of(method(b"INVITE"), body(b"")),
    "INVITE with nonsense": all_of(method(b"INVITE"), body(b"v=7\r\nm=audio\r\n")),
    "INVITE with another type": all_of(method(b"INVITE"), body(b"<a/>", b"text/xml")),
    "INVITE with Replaces": all_of(method(b"INVITE"), more(b"Replaces", b"a;to-tag=b;from-tag=c")),
    "UPDATE without an offer": method(b"UPDATE"),
    "UPDATE with nonsense": all_of(method(b"UPDATE"), body(b"m=audio forty\r\n")),
    "UPDATE with odd Session-Expires": all_of(method(b"UPDATE"), more(b"Session-Expires", b"10")),
    "PRACK without RAck": method(b"PRACK"),
    "PRACK of nothing": all_of(method(b"PRACK"), more(b"RAck", b"1 1 INVITE")),
    "REFER without Refer-To": method(b"REFER"),
    "REFER to nonsense": all_of(method(b"REFER"), more(b"Refer-To", b"<<>>")),
    "REFER with Replaces": all_of(method(b"REFER"), more(b"Refer-To", b"<sip:a@b?Replaces=x%3Bto-tag%3Dy>")),
    "NOTIFY without Event": method(b"NOTIFY"),
    "NOTIFY of a transfer": all_of(
        method(b"NOTIFY"), more(b"Event", b"refer"), body(b"SIP/2.0 200 OK", b"message/sipfrag")
    ),
    "SUBSCRIBE": all_of(method(b"SUBSCRIBE"), more(b"Event", b"presence"), more(b"Expires", b"-1")),
    "MESSAGE": all_of(method(b"MESSAGE"), body(b"hello", b"text/plain")),
    "MESSAGE as CPIM": all_of(method(b"MESSAGE"), body(b"From: <\r\n\r\n", b"message/cpim")),
    "PUBLISH": method(b"PUBLISH"),
    "REGISTER": method(b"REGISTER"),
    "ACK of nothing": method(b"ACK"),
    "CANCEL of nothing": method(b"CANCEL"),
    "BYE with an old CSeq": all_of(method(b"BYE"), edited(b"CSeq", b"700", b"0")),
    "BYE of another tag": all_of(method(b"BYE"), edited(b"From", b"tag=raw", b"tag=other")),
    "INFO without a key": all_of(method(b"INFO"), body(b"", _RELAY)),
    "INFO with half a key": all_of(method(b"INFO"), body(b"Signal", _RELAY)),
    "INFO with zeros": all_of(method(b"INFO"), body(bytes(50), _RELAY)),
    "INFO with 2,000 keys": all_of(method(b"INFO"), body(b"Signal=1\r\n" * 200, _RELAY)),
    "INFO of another type": all_of(method(b"INFO"), body(b"<x", b"application/media_control+xml")),
    "INFO of a long type": all_of(method(b"INFO"), body(b"1", b"application/" + b"d" * 1_000)),
    "OPTIONS with a body": all_of(method(b"OPTIONS"), body(b"v=0\r\n")),
}
_FROM_OUTSIDE = (
    "INVITE without an offer",
    "INVITE with Replaces",
    "REFER with Replaces",
    "MESSAGE",
    "SUBSCRIBE",
)

REQUESTS: dict[str, Change] = {
    **{f"INFO: {name}": all_of(method(b"INFO"), change) for name, change in STRUCTURE.items()},
    **{f"line: {name}": change for name, change in _LINES.items()},
    **_METHODS,
    **{f"outside: {name}": all_of(_METHODS[name], _OUTSIDE, _STRANGER) for name in _FROM_OUTSIDE},
    "outside: BYE": all_of(method(b"BYE"), _OUTSIDE, _STRANGER),
    "outside: CANCEL": all_of(method(b"CANCEL"), _OUTSIDE, _STRANGER),
}


def request(call: RawCall, change: Change) -> bytes:
    """Return the bytes of a request in the call's dialog."""
    invite = call.invite
    target = re.search(r"<(sip:[^>]+)>", invite.header("Contact"))
    assert target is not None
    draft = Draft(
        f"OPTIONS {target[1]} SIP/2.0".encode(),
        [
            (b"Via", f"SIP/2.0/UDP {call.here};branch=z9hG4bKodd{call.token}".encode()),
            (b"From", invite.header("To").encode() + b";tag=raw"),
            (b"To", invite.header("From").encode()),
            (b"Call-ID", invite.header("Call-ID").encode()),
            (b"CSeq", b"700 OPTIONS"),
            (b"Contact", f"<sip:{call.here}>".encode()),
            (b"Max-Forwards", b"70"),
            (b"Content-Length", b"0"),
        ],
    )
    change(draft)
    return draft.encoded()
