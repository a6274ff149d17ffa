"""Where ClickHouse is, and what it is reached with."""

import pytest

from cato_contracts.errors import ConfigurationError
from cato_reporting.adapters.clickhouse import address
from cato_reporting.adapters.clickhouse.address import clickhouse_dsn
from cato_runtime.configuration.settings import ServiceSettings


def test_password_and_authorities_in_files_are_part_of_the_address(tmp_path):
    password = tmp_path / "password"
    password.write_text("p@ss/word\n")
    settings = ServiceSettings(
        clickhouse_dsn="https://cato@clickhouse:8443/cato",
        clickhouse_password_file=password,
        clickhouse_ca_file="/etc/ca.pem",
    )
    assert clickhouse_dsn(settings) == (
        "https://cato:p%40ss%2Fword@clickhouse:8443/cato?ca_cert=%2Fetc%2Fca.pem"
    )
    plain = "http://cato:secret@clickhouse:8123/cato"
    assert clickhouse_dsn(ServiceSettings(clickhouse_dsn=plain)) == plain


def test_without_an_address_the_engine_must_be_installed(tmp_path, monkeypatch):
    settings = ServiceSettings(data_dir=tmp_path)
    assert clickhouse_dsn(settings) == f"chdb://{tmp_path / 'clickhouse'}"
    monkeypatch.setattr(address, "find_spec", lambda _: None)
    with pytest.raises(ConfigurationError, match="CATO_CLICKHOUSE_DSN is not set"):
        clickhouse_dsn(settings)
