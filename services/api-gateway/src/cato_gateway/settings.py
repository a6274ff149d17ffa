"""The settings of the gateway: its address and its time-outs."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from cato_contracts.errors import ConfigurationError


class GatewaySettings(BaseSettings):
    """The `CATO_GATEWAY_*` environment variables, and `CATO_HOST` and `CATO_PORT`; read at the start."""

    model_config = SettingsConfigDict(
        env_prefix="CATO_GATEWAY_", frozen=True, use_attribute_docstrings=True, populate_by_name=True
    )

    host: str = Field(default="127.0.0.1", validation_alias="CATO_HOST")
    """The address to listen on. An address other than loopback requires configured tokens."""

    port: int = Field(default=8080, ge=0, le=65_535, validation_alias="CATO_PORT")
    """The port to listen on; 0 takes a free port, which the log names."""

    public_url: str | None = None
    """The beginning of `url` fields, such as `https://cato.example.org` behind a proxy; unset: the address
    that the client used."""

    cors_origins: Annotated[tuple[str, ...], NoDecode] = ()
    """Web origins whose pages may use the API, separated by commas; `*` allows any. Unset: none."""

    answer_timeout: timedelta = timedelta(seconds=10)
    """How long a service may take to answer before the client gets 503."""

    upload_timeout: timedelta = timedelta(seconds=60)
    """The same if a service processes an uploaded body or creates the snapshot of a run. The command is sent
    again after each `answer_timeout`, since a service that dies loses the commands in progress."""

    body_timeout: timedelta = timedelta(seconds=30)
    """How long a client may pause in the middle of a body."""

    head_timeout: timedelta = timedelta(seconds=10)
    """How long the head of a request may take, from the connection or from its first byte; then 408."""

    connections: int | None = Field(default=None, ge=1)
    """The most connections. A new one beyond them closes the oldest that has no request, or is closed itself.
    Unset: three quarters of the descriptors that the process may have (`ulimit -n`), 10,000 at most."""

    connections_per_address: int | None = Field(default=None, ge=1)
    """The most connections from one address, in the same way; unset: half of all. Set it to the number of
    connections behind a proxy, all of whose requests come from one address."""

    metrics_directory: Path | None = None
    """A directory with the ports of other services on this machine (`<service>.port`); `/metrics` has the
    metrics of these services, too. `cato up` sets it. Unset: the gateway's own metrics."""

    keep_alive: timedelta = timedelta(seconds=30)
    """How long an idle connection stays open; should be longer than the time-out of a proxy."""

    drain_delay: timedelta = timedelta(0)
    """How long to accept requests after SIGTERM while not ready, so that a load balancer can react.
    It is part of `CATO_DRAIN_SECONDS`."""

    resource_bytes: int = Field(default=262_144, ge=1)
    """The largest JSON body of settings and tasks; groups have their own limit in the configuration
    file. A command must fit into one message of the broker (1 MB)."""

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(origin.strip() for origin in value.split(",") if origin.strip())
        return value


def read_settings() -> GatewaySettings:
    """Return the settings of the environment.

    Raises:
        ConfigurationError: for the variables that are wrong.

    """
    try:
        return GatewaySettings()
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise ConfigurationError(f"environment: {problems}") from error
