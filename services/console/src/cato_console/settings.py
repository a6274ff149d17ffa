"""The settings of the console: the address of the API, its own address, sessions and bounds."""

from datetime import timedelta

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from cato_console.errors import ConfigurationError


class ConsoleSettings(BaseSettings):
    """The `CATO_CONSOLE_*` environment variables; read at the start."""

    model_config = SettingsConfigDict(env_prefix="CATO_CONSOLE_", frozen=True, use_attribute_docstrings=True)

    api_url: str = "http://127.0.0.1:8080"
    """The address of the REST API. The console has no other source and keeps no data of its own."""

    host: str = "127.0.0.1"
    """The address that the pages are served at."""

    port: int = Field(default=8090, ge=0, le=65_535)
    """The port of the pages; 0 takes a free port, which the log names."""

    https: bool = False
    """Whether browsers reach the console by HTTPS, through a proxy. Cookies are then sent by HTTPS only."""

    proxies: str = "127.0.0.1"
    """Addresses of proxies, separated by commas, whose `X-Forwarded-For` is believed: sign-ins are limited
    by the address of the browser."""

    time_zone: str = "Europe/Moscow"
    """The zone in which times are shown; an IANA name."""

    session: timedelta = timedelta(hours=12)
    """How long a sign-in lasts."""

    sign_in_tries: int = Field(default=10, ge=1)
    """How many wrong tokens one address may try in a minute."""

    upload_bytes: int = Field(default=104_857_600, ge=1024)
    """The largest form that is accepted. The API has limits of its own."""

    draft_bytes: int = Field(default=1_073_741_824, ge=1024)
    """The space for uploaded lists between two steps of a new notification. The oldest are removed first."""

    draft_time: timedelta = timedelta(hours=1)
    """How long an uploaded list is kept between two steps."""


def read_settings() -> ConsoleSettings:
    """Return the settings of the environment.

    Raises:
        ConfigurationError: for the variables that are wrong.

    """
    try:
        return ConsoleSettings()
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise ConfigurationError(f"environment: {problems}") from error
