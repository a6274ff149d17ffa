"""A station (CS): the exchange that calls go through."""

import ipaddress
import re
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

from cato_dialer.dial.domain.call.line_events import DigitSource


@dataclass(frozen=True, slots=True)
class Credentials:
    """The digest credentials for a station; a realm of `*` answers every challenge."""

    username: str
    password: str
    realm: str


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """The PEM files for TLS with a station. Without `authorities` its certificate is not verified."""

    authorities: Path | None
    certificate: Path | None
    key: Path | None


@dataclass(frozen=True, slots=True)
class NumberRule:
    """Rewrite a number that `match` matches as a whole to `replacement`, which may name its groups."""

    match: re.Pattern[str]
    replacement: str


@dataclass(frozen=True, slots=True)
class Station:
    """A station as the dialer uses it. The fields are explained at `StationConfig` in the configuration.

    `uri` is the URI of the station without a user. `host` (an IPv6 address without brackets), `port` and
    `transport` (`udp`, `tcp` or `tls`) are its parts.
    """

    id: UUID
    name: str
    uri: str
    host: str
    port: int
    transport: str
    channels: int
    min_call_interval_ms: int
    caller_id: str
    credentials: Credentials | None
    tls: TlsFiles | None
    """None unless the transport is TLS."""
    registers: bool
    register_expires_s: int
    priority: int
    codecs: tuple[str, ...]
    digit_sources: tuple[DigitSource, ...]
    engine: str
    """`dense` or `pjsua2`."""
    srtp: str
    session_timers: str
    session_expires_s: int
    number_rules: tuple[NumberRule, ...]
    max_setup_delay_s: int
    max_answer_delay_s: int
    max_retry_after_s: int
    options_interval_s: int
    caller_ids: frozenset[str] = frozenset()
    """The caller ids that tasks may name."""

    @property
    def host_is_name(self) -> bool:
        """Tell whether the host must be resolved."""
        try:
            ipaddress.ip_address(self.host)
        except ValueError:
            return True
        return False

    @property
    def has_port(self) -> bool:
        """Tell whether the URI names a port. If not, DNS records may name it (RFC 3263, 4.2)."""
        return re.search(r":[0-9]+$", self.uri.partition(";")[0]) is not None

    @property
    def uri_host(self) -> str:
        """The host as it stands in a URI."""
        return f"[{self.host}]" if ":" in self.host else self.host

    def calling_as(self, caller_id: str | None) -> "Station":
        """Return the station with the caller id of a task, if it allows that one."""
        if caller_id is None or caller_id not in self.caller_ids:
            return self
        return replace(self, caller_id=caller_id)

    def dialled(self, number: str) -> str:
        """Return the number in the form that the station dials, by the first rule that matches."""
        for rule in self.number_rules:
            if found := rule.match.fullmatch(number):
                return found.expand(rule.replacement)
        return number
