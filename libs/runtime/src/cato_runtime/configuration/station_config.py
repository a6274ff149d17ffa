"""The stations of the configuration file."""

import re
import ssl
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from cato_contracts.errors import ConfigurationError
from cato_runtime.configuration.config_section import Section, secret_of
from cato_runtime.configuration.sip_address import (
    STATION_URI,
    check_caller_id,
    check_station_uri,
    ip_version,
)

_TRANSPORTS = ("udp", "tcp", "tls")
_TRANSPORT = re.compile(r";transport=(\w+)", re.IGNORECASE)


class StationAuth(Section):
    """Digest credentials for a station (RFC 3261, 22)."""

    username: str
    """The user name at the station."""

    password: str | None = None
    """The password itself; prefer `passwordEnv` or `passwordFile`."""

    password_env: str | None = None
    """The environment variable that holds the password."""

    password_file: Path | None = None
    """The file that holds the password; space around it is ignored."""

    realm: str = "*"
    """The realm of the challenges that these credentials answer; `*` matches any realm."""

    def secret(self) -> str:
        if self.password is not None:
            return self.password
        return secret_of(self.password_env, self.password_file, "password")


class NumberRule(Section):
    """The first rule whose `match` (a regular expression) finds the whole number rewrites it."""

    match: str
    """A regular expression for the whole number."""

    replace: str
    """The number that is dialled instead; `\\1` is the first group of `match`."""

    @model_validator(mode="after")
    def _compiles(self) -> Self:
        try:
            pattern = re.compile(self.match)
        except re.error as error:
            msg = f"match {self.match!r} is no regular expression: {error}"
            raise ValueError(msg) from error
        try:
            pattern.sub(self.replace, "")
        except (re.error, IndexError) as error:
            msg = f"replace {self.replace!r} names a group that match does not have: {error}"
            raise ValueError(msg) from error
        return self


class Codec(StrEnum):
    PCMA = "PCMA"
    PCMU = "PCMU"


class DigitWay(StrEnum):
    """How keys that the called person presses are received."""

    RTP_EVENTS = "rfc4733"
    INFO = "info"
    IN_BAND = "inband"


class Engine(StrEnum):
    AUTO = "auto"
    DENSE = "dense"
    PJSUA2 = "pjsua2"


class Srtp(StrEnum):
    OFF = "off"
    OPTIONAL = "optional"
    MANDATORY = "mandatory"


class SessionTimers(StrEnum):
    OFF = "off"
    OPTIONAL = "optional"
    REQUIRED = "required"


def _bare_off(value: object) -> object:
    """YAML reads `off` without quotes as false."""
    return "off" if value is False else value


class StationTls(Section):
    """Certificates for a station with `;transport=tls` (TLS 1.2 or later, as the library supports)."""

    verify: bool = True
    """Reject a station whose certificate is not signed by a trusted authority, or is for another name."""

    ca_file: Path | None = None
    """The trusted authorities, as PEM; default: those of the system."""

    cert_file: Path | None = None
    """Our own certificate, as PEM, if the station asks for one."""

    key_file: Path | None = None
    """The key of our certificate, as PEM, without a password."""

    @model_validator(mode="after")
    def _certificate_has_key(self) -> Self:
        if (self.cert_file is None) != (self.key_file is None):
            msg = "certFile and keyFile go together"
            raise ValueError(msg)
        return self

    def authorities(self) -> Path:
        """Return the file of the trusted authorities.

        Raises:
            ConfigurationError: if the system has none.

        """
        paths = ssl.get_default_verify_paths()
        found = self.ca_file or paths.cafile or paths.openssl_cafile
        if not Path(found).is_file():
            raise ConfigurationError(f"there is no file of certificate authorities at {found}: tls.caFile")
        return Path(found)


def _checked_caller_ids(callers: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(check_caller_id(caller) for caller in callers)


class StationConfig(Section):
    """A station (CS): the exchange that calls go through."""

    id: UUID = UUID("3fa85f64-5717-4562-b3fc-2c963f66afa6")
    """Its id in events and reports (`csId`); must be unique."""

    name: str = "main"
    """Its name in logs and statistics."""

    uri: Annotated[str, AfterValidator(check_station_uri)] = "sip:127.0.0.1:5060"
    """Its SIP address, without a user; `;transport=` is udp (default), tcp or tls."""

    channels: int = Field(default=30, ge=0)
    """Simultaneous calls through this station, over all dialers."""

    min_call_interval_ms: int = Field(default=0, ge=0)
    """The minimum time between two INVITEs, over all dialers, in milliseconds."""

    caller_id: Annotated[str, AfterValidator(check_caller_id)] = "cato"
    """The number or name that the called person sees, or `user@host`."""

    caller_ids: Annotated[tuple[str, ...], AfterValidator(_checked_caller_ids)] = ()
    """Further caller ids that tasks may name (`callerId`)."""

    auth: StationAuth | None = None
    """Digest credentials, if the station requires them."""

    tls: StationTls = StationTls()
    """Certificates, for `;transport=tls`."""

    register_: bool = Field(default=False, alias="register")
    """Register with the station like a telephone: as `auth.username`, or as `callerId` without `auth`."""

    register_expires_s: int = Field(default=300, ge=10, le=86_400)
    """The requested lifetime of a registration, in seconds; it is renewed 5 s before it expires."""

    priority: int = 0
    """A station with a lower number is tried first."""

    codecs: tuple[Codec, ...] = Field(default=(Codec.PCMA,), min_length=1)
    """The codecs offered to the far end, in order of preference."""

    dtmf: tuple[DigitWay, ...] = Field(default=(DigitWay.RTP_EVENTS, DigitWay.INFO), min_length=1)
    """The accepted forms of key presses: `rfc4733` events in RTP, `info` SIP INFO, `inband` tones in the
    audio; others are ignored. Without `rfc4733`, events are not offered, so that the far end sends tones."""

    engine: Engine = Engine.AUTO
    """The SIP engine that makes the calls. `dense` carries thousands of calls on one core, by UDP or TCP, and
    receives keys by `rfc4733` and `info`. `pjsua2` has TLS, SRTP and `inband`, with four calls per process.
    `auto` is `dense` where the other settings of the station allow it."""

    srtp: Annotated[Srtp, BeforeValidator(_bare_off)] = Srtp.OFF
    """Encrypt the audio (SRTP) with keys in the SDP (SDES, RFC 4568), which only `;transport=tls` keeps
    secret: `off`; `optional`: if the far end supports it; `mandatory`: no call without it."""

    session_timers: Annotated[SessionTimers, BeforeValidator(_bare_off)] = SessionTimers.OPTIONAL
    """Session timers (RFC 4028), which end a call whose far end no longer responds: `off`; `optional`: if the
    far end supports them; `required`: no call without them."""

    session_expires_s: int = Field(default=1_800, ge=90, le=86_400)
    """How long a call lasts without a refresh, in seconds; it is refreshed after half of this time. The far
    end may request a longer time."""

    number_rules: tuple[NumberRule, ...] = ()
    """How numbers are rewritten for this station; the first rule that matches is applied."""

    max_setup_delay_s: int = Field(default=20, ge=1, le=180)
    """The longest wait for the first ringing, in seconds."""

    max_answer_delay_s: int = Field(default=60, ge=1, le=300)
    """The longest ringing where the task's settings say 0, in seconds."""

    max_retry_after_s: int = Field(default=300, ge=0, le=3_600)
    """The longest rest of the station, in seconds. A station that rejects a call with 503 and `Retry-After`
    rests for that time: calls go to other stations, or wait. 0: `Retry-After` is ignored."""

    options_interval_s: int = Field(default=30, ge=0, le=3_600)
    """The interval of OPTIONS requests that check the station, in seconds; 0: no checks. After two requests
    in a row without a response the station is down: calls go to other stations until it responds again."""

    @field_validator("dtmf")
    @classmethod
    def _each_way_once(cls, ways: tuple[DigitWay, ...]) -> tuple[DigitWay, ...]:
        if len(set(ways)) != len(ways):
            msg = f"a way is named twice: {', '.join(ways)}"
            raise ValueError(msg)
        return ways

    @model_validator(mode="after")
    def _can_be_done(self) -> Self:
        if self.transport not in _TRANSPORTS:
            msg = f"the transport {self.transport} is not supported, only {', '.join(_TRANSPORTS)}"
            raise ValueError(msg)
        if self.engine is Engine.DENSE and self.beyond_dense is not None:
            msg = f"engine: dense does not have {self.beyond_dense}; take engine: auto or pjsua2"
            raise ValueError(msg)
        if self.uri.startswith("sips:"):
            msg = "sips: is not supported; sip: with ;transport=tls is"
            raise ValueError(msg)
        if ip_version(self.host) == 6:  # noqa: PLR2004
            self._can_use_ipv6()
        return self

    def _can_use_ipv6(self) -> None:
        if self.engine_used is not Engine.DENSE:
            why = self.beyond_dense or f"engine: {self.engine}"
            msg = f"uri: only the dense engine has IPv6, and {why} needs pjsua2"
            raise ValueError(msg)
        if self.register_:
            msg = "uri: register is not supported with an IPv6 address"
            raise ValueError(msg)

    @property
    def beyond_dense(self) -> str | None:
        """Return a setting that the dense engine does not support; None if it supports all."""
        if self.transport == "tls":
            return ";transport=tls"
        if self.srtp is not Srtp.OFF:
            return f"srtp: {self.srtp}"
        return "dtmf: inband" if DigitWay.IN_BAND in self.dtmf else None

    @property
    def engine_used(self) -> Engine:
        """Return `dense` or `pjsua2`."""
        if self.engine is Engine.AUTO:
            return Engine.DENSE if self.beyond_dense is None else Engine.PJSUA2
        return self.engine

    @property
    def host(self) -> str:
        """Host name or IP address; an IPv6 address has no brackets."""
        return self._uri_part("host").strip("[]")

    @property
    def transport(self) -> str:
        """`udp`, `tcp` or `tls`."""
        named = _TRANSPORT.search(self.uri)
        return named[1].lower() if named else "udp"

    @property
    def port(self) -> int:
        return int(self._uri_part("port") or (5061 if self.transport == "tls" else 5060))

    def _uri_part(self, part: str) -> str:
        match = STATION_URI.fullmatch(self.uri)
        return (match[part] or "") if match else ""
