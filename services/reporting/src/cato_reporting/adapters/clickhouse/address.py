"""The address of ClickHouse, with the password and the authorities that the settings name."""

from importlib.util import find_spec
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, quote, urlencode, urlsplit, urlunsplit

from cato_contracts.errors import ConfigurationError
from cato_runtime.configuration.config_section import secret_of
from cato_runtime.configuration.settings import ServiceSettings


def clickhouse_dsn(settings: ServiceSettings) -> str:
    """Return where ClickHouse is; unless set, its engine runs in this process on the data directory.

    Raises:
        ConfigurationError: if the file of the password cannot be read, or the engine is not installed.

    """
    if settings.clickhouse_dsn is not None:
        return _with_files(settings, urlsplit(settings.clickhouse_dsn))
    if find_spec("chdb") is None:
        raise ConfigurationError(
            "CATO_CLICKHOUSE_DSN is not set, and the embedded engine is not installed"
            " (the extra `embedded` of cato-reporting)"
        )
    directory = Path(settings.data_dir).absolute() / "clickhouse"
    directory.mkdir(parents=True, exist_ok=True)
    return f"chdb://{directory}"


def _with_files(settings: ServiceSettings, dsn: SplitResult) -> str:
    """Add the password and the authorities that the settings name."""
    if settings.clickhouse_password_file is not None:
        password = secret_of(None, settings.clickhouse_password_file, "password of ClickHouse")
        user, _, host = dsn.netloc.rpartition("@")
        dsn = dsn._replace(netloc=f"{user.partition(':')[0]}:{quote(password, safe='')}@{host}")
    if settings.clickhouse_ca_file is not None:
        dsn = dsn._replace(query=urlencode([*parse_qsl(dsn.query), ("ca_cert", settings.clickhouse_ca_file)]))
    return urlunsplit(dsn)
