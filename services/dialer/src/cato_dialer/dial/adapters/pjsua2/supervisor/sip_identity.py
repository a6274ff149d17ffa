"""The identity that a station sees."""

from cato_contracts.instants import unix_ms
from cato_dialer.dial.adapters.pjsua2 import protocol
from cato_dialer.dial.adapters.sip.addresses import caller_uri, target_uri, user_part
from cato_dialer.dial.adapters.sip.resolver import Target
from cato_dialer.dial.domain.station import Station, TlsFiles
from cato_dialer.dial.ports.trunk import CallOrder


def identity_of(station: Station) -> protocol.SipIdentity:
    """Return the identity for calls: the caller id, at the station unless it names a host."""
    return _identity(station, caller_uri(station))


def registered_identity_of(station: Station) -> protocol.SipIdentity:
    """Return the identity to register: the user of the credentials, or of the caller id without any."""
    credentials = station.credentials
    user = credentials.username if credentials is not None else station.caller_id.partition("@")[0]
    return _identity(station, f"sip:{user_part(user)}@{station.uri_host}")


def route_to(station: Station, target: Target) -> str:
    """Return a route to the resolved address of the station, which is not shown in the request."""
    host = f"[{target.host}]" if ":" in target.host else target.host
    return f"sip:{host}:{target.port};transport={station.transport};lr;hide"


def _identity(station: Station, uri: str) -> protocol.SipIdentity:
    credentials = station.credentials
    return protocol.SipIdentity(
        uri=uri,
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


def wire_order(number: int, order: CallOrder) -> protocol.Place:
    """Return the order of a call for a worker."""
    station = order.station
    return protocol.Place(
        line=number,
        target=target_uri(station, order.number),
        identity=identity_of(station),
        codecs=station.codecs,
        audio=str(order.audio),
        heard_threshold_ms=order.heard_threshold_ms,
        dtmf=station.digit_sources,
        not_before=None if order.not_before is None else unix_ms(order.not_before),
        not_after=None if order.not_after is None else unix_ms(order.not_after),
    )
