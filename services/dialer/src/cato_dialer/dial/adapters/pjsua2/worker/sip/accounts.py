"""The accounts of PJSIP, one for each SIP identity, and the transports that they need."""

import ctypes
from typing import Any

import pjsua2 as pj

from cato_dialer.dial.adapters.pjsua2 import protocol

_ANY_ADDRESS = "0.0.0.0"
_LOOPBACK = "127.0.0.1"
_CALLS_AT_MOST = 256
"Room for the ids of the calls of one worker."
_CALL_INFO_BYTES = 65_536
"More than `pjsua_call_info` takes; only its first fields are read: `id`, `role`, `acc_id`."

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


class AccountsError(Exception):
    """Every account has a call."""


class Accounts:
    """Makes accounts when they are first needed and keeps those used last."""

    def __init__(self, endpoint: Any, library: ctypes.CDLL, settings: protocol.Configure) -> None:
        self._endpoint = endpoint
        self._library = library
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

    @property
    def transports(self) -> frozenset[str]:
        """The transports that exist: `udp` and, once they were needed, `tcp` and `tls`."""
        return frozenset({"udp"} | ({"tcp"} if self._tcp else set()) | ({"tls"} if self._by_tls else set()))

    def of(self, identity: protocol.SipIdentity) -> Any:
        """Return the account of an identity.

        Raises: pj.Error, AccountsError.
        """
        account = self._accounts.pop(identity, None)
        if account is None:
            self._make_room()
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

    def _make_room(self) -> None:
        """Shut down accounts without a call, those first that were not used for longest."""
        if len(self._accounts) < protocol.ACCOUNTS_AT_MOST:
            return
        in_use = self._ids_in_use()
        for identity, account in list(self._accounts.items()):
            if account.getId() not in in_use:
                del self._accounts[identity]
                account.shutdown()
                return
        raise AccountsError(f"all {len(self._accounts)} accounts of the SIP worker have calls")

    def _ids_in_use(self) -> set[int]:
        """Return the accounts of all calls that the library holds, those of released lines included."""
        calls, count = (ctypes.c_int * _CALLS_AT_MOST)(), ctypes.c_uint(_CALLS_AT_MOST)
        self._library.pjsua_enum_calls(calls, ctypes.byref(count))
        info = (ctypes.c_int * (_CALL_INFO_BYTES // ctypes.sizeof(ctypes.c_int)))()
        used = set()
        for call in calls[: count.value]:
            if self._library.pjsua_call_get_info(ctypes.c_int(call), info) == 0:
                used.add(info[2])
        return used

    def _transport(self) -> Any:
        config = pj.TransportConfig()
        if self._settings.bind_address != _ANY_ADDRESS:
            config.boundAddress = self._settings.bind_address
        if self._settings.public_address is not None:
            config.publicAddress = self._settings.public_address
        return config
