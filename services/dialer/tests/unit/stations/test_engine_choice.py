"""Which engine needs which library."""

import pytest

from cato_contracts.errors import ConfigurationError
from cato_dialer.dial.adapters.engine_choice import check_library
from cato_runtime.configuration.config import Config


def config(**station: object) -> Config:
    return Config.model_validate({"stations": [{"name": "main", "uri": "sip:192.0.2.1", **station}]})


def missing(_name: str) -> None:
    return None


def test_calls_by_udp_need_no_library():
    check_library(config(), missing)


@pytest.mark.parametrize(
    "station",
    [
        {"engine": "pjsua2"},
        {"uri": "sip:192.0.2.1;transport=tls"},
        {"register": True, "auth": {"username": "cato", "password": "secret"}},
    ],
)
def test_a_station_that_needs_the_library_is_named_where_it_is_missing(station: dict[str, object]):
    check_library(config(**station), lambda _name: object())
    with pytest.raises(ConfigurationError, match=r"stations main need the engine pjsua2"):
        check_library(config(**station), missing)
