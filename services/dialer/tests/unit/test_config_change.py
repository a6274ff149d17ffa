"""The changes of the configuration that a running dialer applies."""

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from cato_contracts.errors import ConfigurationError
from cato_dialer.config_change import check_change
from cato_runtime.configuration.config import Config, DialingConfig, TokenConfig
from cato_runtime.configuration.station_config import StationAuth, StationConfig, StationTls

_OTHER = UUID("11111111-2222-3333-4444-555555555555")


def _config(**station: Any) -> Config:
    return Config(stations=(StationConfig(**station),))


@pytest.mark.parametrize(
    "station",
    [
        {"uri": "sip:other.example;transport=tcp"},
        {"caller_id": "776400", "caller_ids": ("776401",), "priority": 3},
        {"auth": StationAuth(username="cato", password="secret")},
        {"options_interval_s": 0, "max_answer_delay_s": 10},
    ],
)
def test_keys_that_only_new_calls_use_can_change(station: dict[str, Any]) -> None:
    check_change(_config(), _config(**station))


def test_changed_tokens_are_ignored() -> None:
    check_change(_config(), Config(tokens=(TokenConfig(token="t", user="u"),), stations=_config().stations))


@pytest.mark.parametrize(
    ("station", "named"),
    [
        ({"channels": 1}, "channels of station main"),
        ({"min_call_interval_ms": 50}, "min_call_interval_ms"),
        ({"register_": True}, "register of station main"),
        ({"id": _OTHER}, "added or removed"),
    ],
)
def test_keys_that_all_replicas_share_need_a_restart(station: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        check_change(_config(), _config(**station))


def test_a_change_of_another_section_needs_a_restart() -> None:
    with pytest.raises(ConfigurationError, match="dialing"):
        check_change(
            _config(), Config(dialing=DialingConfig(calls_per_worker=1), stations=_config().stations)
        )


@pytest.mark.parametrize(
    "station",
    [
        {"auth": StationAuth(username="cato", password_env="NO_SUCH_VARIABLE_IS_SET")},
        {"uri": "sip:pbx.example;transport=tls", "tls": StationTls(ca_file=Path("/nowhere/ca.pem"))},
    ],
)
def test_a_station_whose_files_cannot_be_read_is_refused(station: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        check_change(_config(), _config(**station))
