"""The configuration file `cato.yaml`: every key has a default, every mistake stops the start."""

import os
import re
import ssl
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self
from uuid import UUID

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel

from cato_contracts.resources import TimeZoneName
from cato_runtime.errors import ConfigurationError

_STATION_URI = re.compile(r"sips?:(?P<host>\[[0-9a-fA-F:.]+\]|[^\s:;?@]+)(:(?P<port>\d{1,5}))?(;\S+)?")

_TRANSPORTS = ("udp", "tcp", "tls")
_TRANSPORT = re.compile(r";transport=(\w+)", re.IGNORECASE)


class Section(BaseModel):
    """A part of the file: camelCase keys, unknown ones refused."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        populate_by_name=True,
        use_attribute_docstrings=True,
    )


class Permission(StrEnum):
    """What a token allows: look, change resources, start and control runs, act for other users."""

    READ = "read"
    WRITE = "write"
    RUN = "run"
    ADMIN = "admin"


class TokenConfig(Section):
    """An application token: in the file itself, in an environment variable or in a file of its own."""

    token: str | None = Field(default=None, min_length=1)
    """The token itself. Exactly one of `token`, `tokenEnv` and `tokenFile` is given."""

    token_env: str | None = None
    """The environment variable that holds the token."""

    token_file: Path | None = None
    """The file that holds the token; space around it is ignored."""

    user: str = Field(min_length=1)
    """Whose resources the token opens."""

    permissions: frozenset[Permission] = frozenset({Permission.READ, Permission.WRITE, Permission.RUN})
    """What it allows: look (`read`), change resources (`write`), start and control runs (`run`), act for
    other users (`admin`)."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if sum(source is not None for source in (self.token, self.token_env, self.token_file)) != 1:
            msg = "a token is given by exactly one of token, tokenEnv and tokenFile"
            raise ValueError(msg)
        return self

    def secret(self) -> str:
        """Return the token itself.

        Raises:
            ConfigurationError: if its variable or file is missing or empty.

        """
        if self.token is not None:
            return self.token
        return _secret(self.token_env, self.token_file, "token")


class LicenseConfig(Section):
    """What has been licensed: calls at once over all stations and replicas."""

    max_channels: int = Field(default=100, ge=0)
    """Calls at once over all stations and dialers; 0: no run can be started."""


class StationAuth(Section):
    """Digest credentials for a station (RFC 3261, 22)."""

    username: str
    """The user that the station knows."""

    password: str | None = None
    """The password itself; better one of the next two."""

    password_env: str | None = None
    """The environment variable that holds the password."""

    password_file: Path | None = None
    """The file that holds the password; space around it is ignored."""

    realm: str = "*"
    """The realm of the station's challenges that this answers; `*` is any."""

    def secret(self) -> str:
        if self.password is not None:
            return self.password
        return _secret(self.password_env, self.password_file, "password")


class NumberRule(Section):
    """The first rule whose `match` (a regular expression) finds the whole number rewrites it."""

    match: str
    """A regular expression for the whole number."""

    replace: str
    """What is dialled instead; `\\1` is the first group of `match`."""

    @model_validator(mode="after")
    def _compiles(self) -> Self:
        try:
            re.compile(self.match)
        except re.error as error:
            msg = f"match {self.match!r} is no regular expression: {error}"
            raise ValueError(msg) from error
        return self


class Codec(StrEnum):
    PCMA = "PCMA"
    PCMU = "PCMU"


class DigitWay(StrEnum):
    """How the keys that a called person presses come to us."""

    RTP_EVENTS = "rfc4733"
    INFO = "info"
    IN_BAND = "inband"


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
    """Certificates for a station with `;transport=tls` (TLS 1.2 and what else the SIP library has)."""

    verify: bool = True
    """Refuse a station whose certificate is not signed by a known authority, or is for another name."""

    ca_file: Path | None = None
    """The authorities that are known, as PEM; those of the system if not given."""

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
        """Return the file of those that are known.

        Raises:
            ConfigurationError: if the system has none.

        """
        paths = ssl.get_default_verify_paths()
        found = self.ca_file or paths.cafile or paths.openssl_cafile
        if not Path(found).is_file():
            raise ConfigurationError(f"there is no file of certificate authorities at {found}: tls.caFile")
        return Path(found)

    def context(self) -> ssl.SSLContext:
        """Raises: ConfigurationError: if a file cannot be read."""
        try:
            made = ssl.create_default_context(cafile=self.authorities() if self.verify else None)
            if not self.verify:
                made.check_hostname = False
                made.verify_mode = ssl.CERT_NONE
            if self.cert_file is not None:
                made.load_cert_chain(self.cert_file, self.key_file)
        except (OSError, ssl.SSLError) as error:
            raise ConfigurationError(f"a certificate or key of a station cannot be read: {error}") from error
        return made


def _station_uri(uri: str) -> str:
    if not _STATION_URI.fullmatch(uri):
        msg = f"{uri!r} is not a station's URI, such as sip:host:5060;transport=udp"
        raise ValueError(msg)
    return uri


class StationConfig(Section):
    """A station (CS): the exchange that calls go through."""

    id: UUID = UUID("3fa85f64-5717-4562-b3fc-2c963f66afa6")
    """Its id in events and reports (`csId`); no two stations have the same."""

    name: str = "main"
    """Its name in logs and statistics."""

    uri: Annotated[str, AfterValidator(_station_uri)] = "sip:127.0.0.1:5060"
    """Its SIP address, without a user; `;transport=` is udp (default), tcp or tls."""

    channels: int = Field(default=30, ge=0)
    """Calls at once through this station, over all dialers."""

    min_call_interval_ms: int = Field(default=0, ge=0)
    """The least time between two INVITEs, over all dialers, in milliseconds."""

    caller_id: str = "cato"
    """The number or name that the called person sees."""

    auth: StationAuth | None = None
    """Digest credentials, if the station asks for any."""

    tls: StationTls = StationTls()
    """Certificates, for `;transport=tls`."""

    register_: bool = Field(default=False, alias="register")
    """Register with the station, as a telephone does: as `auth.username`, or as `callerId` without `auth`."""

    register_expires_s: int = Field(default=300, ge=10, le=86_400)
    """How long a registration is asked for, in seconds; it is renewed 5 s before its end."""

    priority: int = 0
    """A station with a lower number is tried first."""

    codecs: tuple[Codec, ...] = Field(default=(Codec.PCMA,), min_length=1)
    """What is offered to the far end, the first first."""

    dtmf: tuple[DigitWay, ...] = Field(default=(DigitWay.RTP_EVENTS, DigitWay.INFO), min_length=1)
    """The ways in which keys are taken: `rfc4733` events in RTP, `info` SIP INFO, `inband` tones in the
    audio; others are ignored. Without `rfc4733` events are not offered, so that the far end sends tones."""

    srtp: Annotated[Srtp, BeforeValidator(_bare_off)] = Srtp.OFF
    """Encrypt the audio (SRTP) with keys in the SDP (SDES, RFC 4568), which only `;transport=tls` keeps
    secret: `off`; `optional`: if the far end does; `mandatory`: no call without."""

    session_timers: Annotated[SessionTimers, BeforeValidator(_bare_off)] = SessionTimers.OPTIONAL
    """Refresh calls so that one whose far end is gone comes to an end (RFC 4028): `off`; `optional`: if the
    far end can; `required`: no call with one that cannot."""

    session_expires_s: int = Field(default=1_800, ge=90, le=86_400)
    """How long a call lasts without a refresh, in seconds; there is one at half of it. A far end may ask for
    more."""

    number_rules: tuple[NumberRule, ...] = ()
    """How numbers are rewritten for this station; the first rule that matches does it."""

    max_setup_delay_s: int = Field(default=20, ge=1, le=180)
    """The longest wait for the first ringing, in seconds."""

    max_answer_delay_s: int = Field(default=60, ge=1, le=300)
    """The longest ringing where the task's settings say 0, in seconds."""

    options_interval_s: int = Field(default=30, ge=0, le=3_600)
    """How often the station is asked by OPTIONS whether it is there, in seconds; 0: never. Two requests in a
    row without any answer mark it down: calls go to other stations until it answers again."""

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
        if self.uri.startswith("sips:"):
            msg = "sips: is not supported; sip: with ;transport=tls is"
            raise ValueError(msg)
        return self

    @property
    def host(self) -> str:
        """Name or address, an IPv6 one without brackets."""
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
        match = _STATION_URI.fullmatch(self.uri)
        return (match[part] or "") if match else ""

    def dialled(self, number: str) -> str:
        """Return the number as this station wants it, by the first rule that matches."""
        for rule in self.number_rules:
            if re.fullmatch(rule.match, number):
                return re.sub(f"^(?:{rule.match})$", rule.replace, number)
        return number


class LimitsConfig(Section):
    """Bounds on what clients send."""

    audio_bytes: int = Field(default=52_428_800, ge=1)
    """The largest audio file, in bytes as uploaded."""

    audio_seconds: int = Field(default=1_800, ge=1)
    """The longest audio file, in seconds as decoded."""

    group_size: int = Field(default=200_000, ge=1)
    """The most subscribers in one group."""

    json_bytes: int = Field(default=67_108_864, ge=1)
    """The largest JSON or CSV body, in bytes."""


class DialingConfig(Section):
    """How the dial role works: its worker processes, and the addresses for SIP and RTP."""

    calls_per_worker: int = Field(default=4, ge=1)
    """Calls at once in one SIP worker process; the SIP library has a limit of its own (4 as installed)."""

    bind_address: str = "0.0.0.0"
    """The local address for SIP and RTP."""

    public_address: str | None = None
    """The address that the far end is told in SIP and SDP, behind one-to-one address translation."""

    rtp_port_from: int = Field(default=0, ge=0, le=65_535)
    """The first local port for RTP; 0: any free one."""

    rtp_port_till: int = Field(default=0, ge=0, le=65_535)
    """The last one; each call takes two ports, RTP and RTCP."""


class RetentionConfig(Section):
    """How long reporting keeps what in ClickHouse; the log of events keeps everything, for a rebuild.

    Days count from the end of the month in which a run began.
    """

    calls_days: int | None = Field(default=None, ge=1, le=36_500)
    """After how many days a run is removed as a whole, calls and all, and its report is 404; unset: never."""

    events_days: int | None = Field(default=None, ge=1, le=36_500)
    """After how many days the events of its calls are removed; report and calls stay; unset: never."""

    names_days: int | None = Field(default=None, ge=1, le=36_500)
    """After how many days names, telephone numbers and e-mail addresses are removed from the list, the calls
    and the results, and the events, which carry them, as a whole; unset: never."""


class Config(Section):
    """The whole file."""

    time_zone: TimeZoneName = "Europe/Moscow"
    """The zone of calling hours and of statistics by day where nothing else is said; an IANA name."""

    tokens: tuple[TokenConfig, ...] = (TokenConfig(token="default", user="user"),)  # noqa: S106 - the manual's own
    """Who may use the API."""

    allow_default_token: bool = False
    """Accept the token `default` on an address that other machines can reach."""

    license: LicenseConfig = LicenseConfig()
    """What has been licensed."""

    stations: tuple[StationConfig, ...] = ()
    """The exchanges that calls go through; without one no run can be started."""

    limits: LimitsConfig = LimitsConfig()
    """Bounds on what clients send."""

    dialing: DialingConfig = DialingConfig()
    """How the dial role works."""

    retention: RetentionConfig = RetentionConfig()
    """How long reporting keeps what."""

    @model_validator(mode="after")
    def _stations_are_distinct(self) -> Self:
        ids = [station.id for station in self.stations]
        if len(set(ids)) != len(ids):
            msg = "two stations have the same id"
            raise ValueError(msg)
        return self

    @property
    def channels(self) -> int:
        """Calls at once that stations and licence allow together."""
        return min(self.license.max_channels, sum(station.channels for station in self.stations))


def load_config(path: Path | None) -> Config:
    """Read the file; without one, everything is at its default.

    Raises:
        ConfigurationError: naming the file, the key and the rule.

    """
    if path is None:
        return Config()
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigurationError(f"{path}: {error}") from error
    try:
        return Config.model_validate(data)
    except ValidationError as error:
        problems = "; ".join(f"{_key(problem['loc'])}: {problem['msg']}" for problem in error.errors())
        raise ConfigurationError(f"{path}: {problems}") from error


def _key(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location) or "the file"


def _secret(variable: str | None, file: Path | None, what: str) -> str:
    value = os.environ.get(variable, "") if variable else ""
    if file is not None:
        try:
            value = file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ConfigurationError(f"the file of a {what} cannot be read: {error}") from error
    if not value:
        raise ConfigurationError(f"a {what} is empty or missing: {variable or file}")
    return value
