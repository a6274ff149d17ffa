"""The SIP addresses of calls, and the identity that a station sees."""

from urllib.parse import quote

from cato_dialer.dial.adapters.pjsua2 import protocol
from cato_dialer.dial.domain.station import Station, TlsFiles

_USER_UNRESERVED = "-_.!~*'()&=+$,;?/"
"Of RFC 3261, 25.1, `user`: what needs no escape beside letters and digits."


def target_uri(station: Station, number: str) -> str:
    """Return the URI of a number at the station."""
    return f"sip:{_user(number)}@{station.uri.removeprefix('sip:')}"


def identity_of(station: Station) -> protocol.SipIdentity:
    """Return the identity for calls: the caller id, at the station unless it names a host."""
    caller = station.caller_id
    return _identity(station, caller if "@" in caller else f"{_user(caller)}@{station.uri_host}")


def registered_identity_of(station: Station) -> protocol.SipIdentity:
    """Return the identity to register: the user of the credentials, or the caller id without any."""
    credentials = station.credentials
    user = credentials.username if credentials is not None else station.caller_id
    return _identity(station, f"{user}@{station.uri_host}")


def route_to(station: Station, resolved: str) -> str:
    """Return a route to the resolved address of the station, which is not shown in the request."""
    host = f"[{resolved}]" if ":" in resolved else resolved
    return f"sip:{host}:{station.port};transport={station.transport};lr;hide"


def _identity(station: Station, address: str) -> protocol.SipIdentity:
    credentials = station.credentials
    return protocol.SipIdentity(
        uri=f"sip:{address}",
        transport=station.transport,
        username=credentials.username if credentials is not None else None,
        password=credentials.password if credentials is not None else None,
        realm=credentials.realm if credentials is not None else "*",
        tls=_names(station.tls) if station.tls is not None else None,
        srtp=station.srtp,
        session_timers=station.session_timers,
        session_expires_s=station.session_expires_s,
    )


def _names(files: TlsFiles) -> tuple[str, str, str, bool]:
    paths = (files.authorities, files.certificate, files.key)
    authorities, certificate, key = (str(path) if path is not None else "" for path in paths)
    return authorities, certificate, key, files.authorities is not None


def _user(part: str) -> str:
    return quote(part, safe=_USER_UNRESERVED)
