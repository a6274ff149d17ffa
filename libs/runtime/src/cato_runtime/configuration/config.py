"""The configuration file `cato.yaml`. Every key has a default; an invalid file prevents the start."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import AfterValidator, Field, ValidationError, field_validator, model_validator

from cato_contracts.api.rules.hours import TimeZoneName
from cato_contracts.errors import ConfigurationError
from cato_contracts.numbering import Numbering
from cato_runtime.configuration.config_section import Section, secret_of
from cato_runtime.configuration.settings import ServiceSettings
from cato_runtime.configuration.sip_address import check_host, check_ip_address, ip_version
from cato_runtime.configuration.station_config import StationConfig


class Permission(StrEnum):
    """The permissions of a token.

    Read, change resources, start and control runs, act for other users, query the data of all with SQL, call
    excluded numbers, approve runs of others.
    """

    READ = "read"
    WRITE = "write"
    RUN = "run"
    ADMIN = "admin"
    ANALYST = "analyst"
    EMERGENCY = "emergency"
    APPROVE = "approve"


class TokenConfig(Section):
    """An application token: in the configuration file, in an environment variable or in a separate file."""

    token: str | None = Field(default=None, min_length=1)
    """The token itself. Exactly one of `token`, `tokenEnv` and `tokenFile` is given."""

    token_env: str | None = None
    """The environment variable that holds the token."""

    token_file: Path | None = None
    """The file that holds the token; space around it is ignored."""

    user: str = Field(min_length=1)
    """The user whose resources the token gives access to."""

    permissions: frozenset[Permission] = frozenset({Permission.READ, Permission.WRITE, Permission.RUN})
    """The permissions of the token: read resources (`read`), change them (`write`), start and control runs
    (`run`), act for other users (`admin`), query the runs and calls of all users with SQL (`analyst`), have
    tasks that call excluded numbers or ignore the limits of contacts (`emergency`), approve runs that other
    users have started (`approve`)."""

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
        return secret_of(self.token_env, self.token_file, "token")


class ReservedConfig(Section):
    """Channels that are kept free for urgent runs."""

    channels: int = Field(default=0, ge=0)
    """How many of all channels are left free by runs with a lower priority; 0: none."""

    from_priority: int = Field(default=1, ge=-9, le=10)
    """Runs with this `priority` or a higher one may use all channels."""


class LicenseConfig(Section):
    """The licence: simultaneous calls over all stations and replicas."""

    max_channels: int = Field(default=100, ge=0)
    """Simultaneous calls over all stations and dialers; 0: no run can be started."""

    reserved: ReservedConfig = ReservedConfig()
    """Channels for urgent runs, which then start while others are busy."""


class LimitsConfig(Section):
    """Bounds on what clients send."""

    audio_bytes: int = Field(default=52_428_800, ge=1)
    """The largest audio file, in bytes as uploaded."""

    audio_seconds: int = Field(default=1_800, ge=1)
    """The longest audio file, and the most that one call plays with all files and repetitions, in seconds."""

    group_size: int = Field(default=200_000, ge=1)
    """The most subscribers in one group."""

    exclusion_list_size: int = Field(default=2_000_000, ge=1)
    """The most numbers in an exclusion list that is sent."""

    json_bytes: int = Field(default=67_108_864, ge=1)
    """The largest JSON or CSV body, in bytes."""


class ApprovalConfig(Section):
    """The approval of large runs by a second user."""

    above_subscribers: int | None = Field(default=None, ge=0)
    """A run with more subscribers than this waits after its start until a user with the permission `approve`,
    other than the one who has started it, approves it; unset: no run waits. Test calls do not wait."""

    expires_after_s: int = Field(default=86_400, ge=1, le=2_592_000)
    """After how many seconds a run that no user has approved or rejected ends, without a call."""

    emergency_skips: bool = False
    """Runs that are started with a token with the permission `emergency` do not wait."""


class AudioConfig(Section):
    """How prompts are made from uploaded audio."""

    loudness_lufs: float | None = Field(default=None, ge=-40, le=-8)
    """The loudness of every prompt, in LUFS (EBU R 128), for example -19; unset: the level of the upload."""


class Takeover(StrEnum):
    SAFE = "safe"
    FAST = "fast"


class DialingConfig(Section):
    """The dial role: its worker processes, and the addresses for SIP and RTP."""

    calls_per_worker: int = Field(default=4, ge=1)
    """Simultaneous calls in one pjsua2 worker process; the library has its own limit (4 as installed)."""

    media_processes: int = Field(default=1, ge=1, le=64)
    """Processes that send the audio of the dense engine; each carries some thousand calls on one core."""

    takeover: Takeover = Takeover.SAFE
    """When another dialer may call those whom a dialer that does not answer has on the line. `safe`: once it
    has been restarted under its name, or the latest possible end of the call has passed. `fast`: after some
    ten seconds; if the silent dialer is only cut off, a subscriber can be on two calls at once."""

    bind_address: Annotated[str, AfterValidator(check_ip_address)] = "0.0.0.0"
    """The local address for SIP and RTP. With an IPv6 address, such as `::`, all stations use IPv6."""

    public_address: str | None = None
    """The address announced in SIP and SDP, for a host behind one-to-one address translation."""

    rtp_port_from: int = Field(default=0, ge=0, le=65_535)
    """The first local port for RTP; 0: any free port."""

    rtp_port_till: int = Field(default=0, ge=0, le=65_535)
    """The last local port for RTP; each call uses two ports, RTP and RTCP."""

    one_call_per_number: bool = True
    """Call each number once at a time, over all tasks, users and dialers: a call waits while another one to
    its number is up. Numbers are compared as `numbering` says. `false`: only where contacts are limited."""

    station_down_wait_s: int = Field(default=3_600, ge=0, le=604_800)
    """How long a run waits while no station responds, in seconds: no call is started, and no subscriber uses
    up an attempt. Then the run ends. 0: it does not wait; calls that fail count as attempts."""

    @field_validator("public_address")
    @classmethod
    def _is_an_address(cls, address: str | None) -> str | None:
        return None if address is None else check_host(address)


class NumberingConfig(Section):
    """How telephone numbers of the own country are written. Searches find a number in each of its forms."""

    country_code: str = Field(default="7", pattern="^[0-9]{0,3}$")
    """The country code without `+`; empty: no rule, numbers are found as they are written."""

    national_prefix: str = Field(default="8", pattern="^[0-9]{0,3}$")
    """What is dialled before a national number within the country."""

    national_digits: int = Field(default=10, ge=4, le=15)
    """The number of digits of a national number, without the prefix."""

    def rule(self) -> Numbering:
        return Numbering(self.country_code, self.national_prefix, self.national_digits)


class RetentionConfig(Section):
    """How long data is kept. `log_days` counts from the end of a run and limits the log of events, the others
    count from the end of the month in which a run began and limit ClickHouse.
    """

    log_days: float | None = Field(default=30, gt=0, le=36_500)
    """After how many days a run that has ended leaves the event log, which then does not grow with the number
    of runs. Nothing that is shown changes. null: never."""

    archive: bool = True
    """Keep the runs that leave the event log in an archive, which `cato-reporting rebuild` reads. `false`:
    remove them; a rebuild, or a lost ClickHouse, then loses their reports and calls."""

    calls_days: int | None = Field(default=None, ge=1, le=36_500)
    """After how many days a run is removed with its calls, and its report is 404; unset: never."""

    events_days: int | None = Field(default=None, ge=1, le=36_500)
    """After how many days the events of its calls are removed; report and calls stay; unset: never."""

    names_days: int | None = Field(default=None, ge=1, le=36_500)
    """After how many days names, telephone numbers and e-mail addresses are removed from the list, the calls
    and the results, and the events, which carry them, as a whole; unset: never."""


class Config(Section):
    """The whole file."""

    time_zone: TimeZoneName = "Europe/Moscow"
    """The default time zone of calling hours and of daily statistics; an IANA name."""

    tokens: tuple[TokenConfig, ...] = (TokenConfig(token="default", user="user"),)  # noqa: S106 - the manual's own
    """The tokens that may use the API."""

    allow_default_token: bool = False
    """Accept the token `default` on an address that other machines can reach."""

    license: LicenseConfig = LicenseConfig()
    """The licence."""

    stations: tuple[StationConfig, ...] = ()
    """The exchanges that calls go through; without a station no run can be started."""

    limits: LimitsConfig = LimitsConfig()
    """Bounds on what clients send."""

    approval: ApprovalConfig = ApprovalConfig()
    """The approval of large runs by a second user."""

    audio: AudioConfig = AudioConfig()
    """How prompts are made."""

    dialing: DialingConfig = DialingConfig()
    """The dial role."""

    numbering: NumberingConfig = NumberingConfig()
    """How telephone numbers of the own country are written."""

    retention: RetentionConfig = RetentionConfig()
    """How long reporting keeps data."""

    @model_validator(mode="after")
    def _stations_are_distinct(self) -> Self:
        ids = [station.id for station in self.stations]
        if len(set(ids)) != len(ids):
            msg = "two stations have the same id"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _stations_can_be_reached(self) -> Self:
        ours = ip_version(self.dialing.bind_address)
        for index, station in enumerate(self.stations):
            key, theirs = f"stations.{index}.uri: {station.uri}", ip_version(station.host)
            if theirs == 6 != ours:  # noqa: PLR2004
                msg = f"{key} is an IPv6 address, and dialing.bindAddress must be one, too, such as '::'"
                raise ValueError(msg)
            if ours == 6 != theirs:  # noqa: PLR2004
                msg = f"{key} must have an IPv6 address, as dialing.bindAddress is one"
                raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _channels_are_left(self) -> Self:
        reserved = self.license.reserved.channels
        if reserved and reserved >= self.channels:
            msg = f"license.reserved.channels should be less than all channels ({self.channels})"
            raise ValueError(msg)
        return self

    @property
    def channels(self) -> int:
        """The number of simultaneous calls that stations and licence allow together."""
        return min(self.license.max_channels, sum(station.channels for station in self.stations))


_AS_IN_THE_FILE: Mapping[str, str] = {}


def load_config(path: Path | None, dialing: Mapping[str, str] = _AS_IN_THE_FILE) -> Config:
    """Read the file; without a file, every key has its default. `dialing` replaces keys of that section.

    Raises:
        ConfigurationError: naming the file, the key and the rule.

    """
    data: Any = {}
    try:
        if path is not None:
            data = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigurationError(f"{path}: {error}") from error
    if dialing and isinstance(data, dict):
        data = {**data, "dialing": {**(data.get("dialing") or {}), **dialing}}
    try:
        return Config.model_validate(data)
    except ValidationError as error:
        problems = "; ".join(f"{_key(problem['loc'])}: {problem['msg']}" for problem in error.errors())
        raise ConfigurationError(f"{path}: {problems}") from error


def load_for(settings: ServiceSettings) -> Config:
    """Read the file that the settings name; the addresses of this node replace those of the file.

    Raises:
        ConfigurationError: as `load_config`.

    """
    of_node = {"bindAddress": settings.dial_bind_address, "publicAddress": settings.dial_public_address}
    return load_config(settings.config, {name: address for name, address in of_node.items() if address})


def _key(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location) or "the file"
