"""Build the stations and the licence from the configuration, once: at the start and at each reload."""

import re
from collections.abc import Iterable

from cato_dialer.dial.domain.call.line_events import DigitSource
from cato_dialer.dial.domain.capacity.licence import Licence
from cato_dialer.dial.domain.station import Credentials, NumberRule, Station, TlsFiles
from cato_runtime.configuration.config import Config
from cato_runtime.configuration.station_config import StationAuth, StationConfig, StationTls


def licence_of(config: Config) -> Licence:
    """Return the bounds on the calls of all stations together."""
    licence = config.license
    return Licence(licence.max_channels, licence.reserved.channels, licence.reserved.from_priority)


def stations_of(configured: Iterable[StationConfig]) -> tuple[Station, ...]:
    """Return the stations in the order of the configuration.

    Raises:
        ConfigurationError: if a secret, or the file of certificate authorities, cannot be read.

    """
    return tuple(station_of(station) for station in configured)


def station_of(config: StationConfig) -> Station:
    """Raises: ConfigurationError: if a secret, or the file of certificate authorities, cannot be read."""
    return Station(
        id=config.id,
        name=config.name,
        uri=config.uri,
        host=config.host,
        port=config.port,
        transport=config.transport,
        channels=config.channels,
        min_call_interval_ms=config.min_call_interval_ms,
        caller_id=config.caller_id,
        credentials=_credentials(config.auth) if config.auth is not None else None,
        tls=_tls_files(config.tls) if config.transport == "tls" else None,
        registers=config.register_,
        register_expires_s=config.register_expires_s,
        priority=config.priority,
        codecs=tuple(codec.value for codec in config.codecs),
        digit_sources=tuple(DigitSource(way.value) for way in config.dtmf),
        engine=config.engine_used.value,
        srtp=config.srtp.value,
        session_timers=config.session_timers.value,
        session_expires_s=config.session_expires_s,
        number_rules=tuple(NumberRule(re.compile(rule.match), rule.replace) for rule in config.number_rules),
        max_setup_delay_s=config.max_setup_delay_s,
        max_answer_delay_s=config.max_answer_delay_s,
        max_retry_after_s=config.max_retry_after_s,
        options_interval_s=config.options_interval_s,
        caller_ids=frozenset(config.caller_ids),
    )


def _credentials(auth: StationAuth) -> Credentials:
    return Credentials(auth.username, auth.secret(), auth.realm)


def _tls_files(tls: StationTls) -> TlsFiles:
    return TlsFiles(tls.authorities() if tls.verify else None, tls.cert_file, tls.key_file)
