"""The accounts of PJSIP, one for each SIP identity, and the transports that they need."""

from typing import Any

import pjsua2 as pj

from cato_dialer.dial.adapters.pjsua2 import protocol

_ANY_ADDRESS = "0.0.0.0"
_LOOPBACK = "127.0.0.1"
_ACCOUNTS_AT_MOST = 6
"PJSUA_MAX_ACC is 8 unless the library was built otherwise."

_SRTP = {
    "off": pj.PJMEDIA_SRTP_DISABLED,
    "optional": pj.PJMEDIA_SRTP_OPTIONAL,
    "mandatory": pj.PJMEDIA_SRTP_MANDATORY,
}
_SESSION_TIMERS = {
    "off": pj.PJSUA_SIP_TIMER_INACTIVE,
    "optional": pj.PJSUA_SIP_TIMER_OPTIONAL,
    "required": pj.PJSUA_SIP_TIMER_REQUIRED,
}
_LEAST_SESSION_S = 90
"RFC 4028, 5: the shortest interval that may be demanded."


class Accounts:
    """Makes accounts when they are first needed and keeps those used last."""

    def __init__(self, endpoint: Any, settings: protocol.Configure) -> None:
        self._endpoint = endpoint
        self._settings = settings
        self._accounts: dict[protocol.SipIdentity, Any] = {}
        self._udp = 0
        self._tcp = False
        self._by_tls: dict[tuple[str, str, str, bool], int] = {}

    def open(self) -> None:
        """Make the UDP transport, which always exists. Raises: pj.Error."""
        self._udp = self._endpoint.transportCreate(pj.PJSIP_TRANSPORT_UDP, self._transport())

    @property
    def address(self) -> tuple[str, int]:
        """The address of the UDP transport on this machine. Raises: pj.Error."""
        host, _, port = self._endpoint.transportGetInfo(self._udp).localAddress.rpartition(":")
        return _LOOPBACK if host == _ANY_ADDRESS else host, int(port)

    def of(self, identity: protocol.SipIdentity, *, may_drop: bool) -> Any:
        """Return the account of an identity; others may be dropped only while there are no calls.

        Raises: pj.Error.
        """
        account = self._accounts.pop(identity, None)
        if account is None:
            if may_drop:
                self._drop_oldest()
            account = pj.Account()
            account.create(self.config(identity))
        self._accounts[identity] = account
        return account

    def config(self, identity: protocol.SipIdentity) -> Any:
        """Raises: pj.Error."""
        config = pj.AccountConfig()
        config.idUri = identity.uri
        if identity.username is not None and identity.password is not None:
            config.sipConfig.authCreds.append(
                pj.AuthCredInfo("digest", identity.realm, identity.username, 0, identity.password)
            )
        if identity.route is not None:
            config.sipConfig.proxies.append(identity.route)
        self._need(identity)
        if identity.tls is not None:
            config.sipConfig.transportId = self._tls_transport(identity.tls)
        rtp = self._transport()
        rtp.port = self._settings.rtp_port_from
        rtp.portRange = self._settings.rtp_port_till - self._settings.rtp_port_from
        config.mediaConfig.transportConfig = rtp
        config.mediaConfig.srtpUse = _SRTP[identity.srtp]
        # By default the library refuses SRTP without TLS; the configuration decides that, not the library.
        config.mediaConfig.srtpSecureSignaling = 0
        config.callConfig.timerUse = _SESSION_TIMERS[identity.session_timers]
        config.callConfig.timerMinSESec = _LEAST_SESSION_S
        config.callConfig.timerSessExpiresSec = identity.session_expires_s
        return config

    def _need(self, identity: protocol.SipIdentity) -> None:
        """Make the transport that an identity needs, unless it exists."""
        if identity.transport == "tcp" and not self._tcp:
            self._endpoint.transportCreate(pj.PJSIP_TRANSPORT_TCP, self._transport())
            self._tcp = True

    def _tls_transport(self, tls: tuple[str, str, str, bool]) -> int:
        if tls not in self._by_tls:
            config = self._transport()
            authorities, certificate, key, verify = tls
            config.tlsConfig.CaListFile = authorities
            config.tlsConfig.certFile, config.tlsConfig.privKeyFile = certificate, key
            config.tlsConfig.verifyServer = verify
            self._by_tls[tls] = self._endpoint.transportCreate(pj.PJSIP_TRANSPORT_TLS, config)
        return self._by_tls[tls]

    def _drop_oldest(self) -> None:
        """Shut down the accounts that were not used for longest."""
        while len(self._accounts) >= _ACCOUNTS_AT_MOST:
            self._accounts.pop(next(iter(self._accounts))).shutdown()

    def _transport(self) -> Any:
        config = pj.TransportConfig()
        if self._settings.bind_address != _ANY_ADDRESS:
            config.boundAddress = self._settings.bind_address
        if self._settings.public_address is not None:
            config.publicAddress = self._settings.public_address
        return config
