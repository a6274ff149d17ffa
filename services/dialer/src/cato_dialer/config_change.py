"""The changes of the configuration that a running dialer can apply."""

from collections.abc import Iterable

from cato_contracts.errors import ConfigurationError
from cato_dialer.dial.adapters.configured_stations import stations_of
from cato_dialer.dial.adapters.sip.tls_context import tls_context
from cato_runtime.configuration.config import Config
from cato_runtime.configuration.station_config import StationConfig

_FOR_NEW_CALLS = {
    *("name", "uri", "tls", "caller_id", "caller_ids", "auth", "priority", "codecs", "number_rules"),
    *("dtmf", "srtp", "session_timers", "session_expires_s"),
    *("max_setup_delay_s", "max_answer_delay_s", "max_retry_after_s", "options_interval_s"),
}
"""The keys of a station that only new calls use. Channels and intervals are agreed among all replicas, and an
engine that no station needed at the start does not run."""


def check_change(old: Config, new: Config) -> None:
    """Check that new calls can be made with the changed configuration.

    Raises:
        ConfigurationError: naming the keys that cannot change without a restart, or that cannot be used.

    """
    # Tokens are read by the gateway only.
    keys = ("time_zone", "license", "limits", "approval", "dialing")
    fixed = [key for key in keys if getattr(old, key) != getattr(new, key)]
    before = {station.id: station for station in old.stations}
    if set(before) != {station.id for station in new.stations}:
        fixed.append("stations (added or removed)")
    else:
        fixed += [key for station in new.stations for key in _fixed(before[station.id], station)]
    if fixed:
        raise ConfigurationError(f"cannot be changed without a restart: {', '.join(fixed)}")
    check_stations(new.stations)


def check_stations(stations: Iterable[StationConfig]) -> None:
    """Raise ConfigurationError if a secret or a certificate of a station cannot be read."""
    for station in stations_of(stations):
        if station.tls is not None:
            tls_context(station.tls)


def _fixed(old: StationConfig, new: StationConfig) -> list[str]:
    changed = {key for key in StationConfig.model_fields if getattr(old, key) != getattr(new, key)}
    if old.engine_used is not new.engine_used:
        changed.add("engine")
    free = {"priority"} if old.register_ else _FOR_NEW_CALLS
    return [f"{key.rstrip('_')} of station {old.name}" for key in sorted(changed - free)]
