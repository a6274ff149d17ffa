"""Make the SIP identity of a station for the workers."""

from cato_dialer.dial.adapters.pjsua2 import protocol
from cato_dialer.dial.adapters.pjsua2.supervisor.address import Address
from cato_runtime.station_config import StationConfig, StationTls


def peer_of(station: StationConfig, where: Address) -> protocol.SipIdentity:
    """Raises: ConfigurationError."""
    auth = station.auth
    return protocol.SipIdentity(
        identity=where.identity,
        transport=where.transport,
        username=auth.username if auth is not None else None,
        password=auth.secret() if auth is not None else None,
        realm=auth.realm if auth is not None else "*",
        tls=_files(station.tls) if where.transport == "tls" else None,
        srtp=station.srtp.value,
        session_timers=station.session_timers.value,
        session_expires_s=station.session_expires_s,
    )


def _files(tls: StationTls) -> tuple[str, str, str, bool]:
    """Raises: ConfigurationError."""
    return (
        str(tls.authorities()) if tls.verify else "",
        str(tls.cert_file or ""),
        str(tls.key_file or ""),
        tls.verify,
    )
