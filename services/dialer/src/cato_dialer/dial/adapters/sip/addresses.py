"""The SIP addresses of calls."""

from urllib.parse import quote

from cato_dialer.dial.domain.station import Station

_USER_UNRESERVED = "-_.!~*'()&=+$,;?/"
"Characters besides letters and digits that need no escape in `user` (RFC 3261, 25.1)."


def target_uri(station: Station, number: str) -> str:
    """Return the URI of a number at the station."""
    return f"sip:{user_part(number)}@{station.uri.removeprefix('sip:')}"


def caller_uri(station: Station) -> str:
    """Return the URI of the caller id, which is at the station unless it names a host."""
    caller = station.caller_id
    return f"sip:{caller}" if "@" in caller else f"sip:{user_part(caller)}@{station.uri_host}"


def user_part(text: str) -> str:
    """Return the text as the user part of a URI."""
    return quote(text, safe=_USER_UNRESERVED)
