"""Which changes of the configuration a dialer at work can take over."""

from cato_contracts.errors import ConfigurationError
from cato_runtime.config import Config
from cato_runtime.station_config import StationConfig

_FOR_NEW_CALLS = {
    *("name", "uri", "tls", "caller_id", "auth", "priority", "codecs", "number_rules"),
    *("dtmf", "srtp", "session_timers", "session_expires_s"),
    *("max_setup_delay_s", "max_answer_delay_s", "options_interval_s"),
}
"""Keys of a station that only new calls look at. Channels and intervals are agreed on by all replicas."""


def check_change(old: Config, new: Config) -> None:
    """Let a change pass that new calls can be made with.

    Raises:
        ConfigurationError: naming what cannot be changed without a restart, or cannot be used.

    """
    # Tokens are the gateway's.
    fixed = [
        key for key in ("time_zone", "license", "limits", "dialing") if getattr(old, key) != getattr(new, key)
    ]
    before = {station.id: station for station in old.stations}
    if set(before) != {station.id for station in new.stations}:
        fixed.append("stations (added or removed)")
    else:
        fixed += [what for station in new.stations for what in _fixed(before[station.id], station)]
    if fixed:
        raise ConfigurationError(f"cannot be changed without a restart: {', '.join(fixed)}")
    for station in new.stations:
        check_station(station)


def check_station(station: StationConfig) -> None:
    """Raises: ConfigurationError: if a secret or a certificate of the station cannot be read."""
    if station.auth is not None:
        station.auth.secret()
    if station.transport == "tls":
        station.tls.context()


def _fixed(old: StationConfig, new: StationConfig) -> list[str]:
    changed = {key for key in StationConfig.model_fields if getattr(old, key) != getattr(new, key)}
    free = {"priority"} if old.register_ else _FOR_NEW_CALLS
    return [f"{key.rstrip('_')} of station {old.name}" for key in sorted(changed - free)]
