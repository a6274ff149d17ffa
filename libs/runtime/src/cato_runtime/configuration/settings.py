"""The settings of a service from the `CATO_*` environment variables."""

from enum import StrEnum
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class LogFormat(StrEnum):
    JSON = "json"
    CONSOLE = "console"


class ServiceSettings(BaseSettings):
    """Read once, in a service's `main`."""

    model_config = SettingsConfigDict(env_prefix="CATO_", frozen=True, use_attribute_docstrings=True)

    nats_url: str = "nats://127.0.0.1:4222"
    """The URL of the broker; for a cluster, several URLs separated by commas."""

    nats_password_file: Path | None = None
    """The file that holds the password of the user in `CATO_NATS_URL`; space around it is ignored."""

    nats_ca_file: Path | None = None
    """The authorities that the certificate of the broker may be signed by, as PEM, for `tls://` URLs;
    default: those of the system."""

    nats_replicas: int = Field(default=1, ge=1, le=5)
    """Replicas of each stream and bucket that is created: 3 on a cluster of three servers. Existing streams
    and buckets keep their number."""

    clickhouse_dsn: str | None = None
    """`http(s)://user:password@host:port/database`, or `chdb:///path`; unset: the engine inside the
    reporting process, with its files in the data directory."""

    clickhouse_password_file: Path | None = None
    """The file that holds the password of the user in `CATO_CLICKHOUSE_DSN`; space around it is ignored."""

    clickhouse_ca_file: Path | None = None
    """The authorities that the certificate of ClickHouse may be signed by, as PEM, for `https://`."""

    clickhouse_cluster: str | None = None
    """The name of a cluster in the configuration of ClickHouse: tables are created on all of it
    (`ON CLUSTER`), and are replicated (`Replicated...`). Only when the database is new."""

    config: Path | None = None
    """The configuration file; unset: every key has its default."""

    data_dir: Path = Path("build/data")
    """The directory for files on disk: caches, and the embedded database."""

    dial_bind_address: str | None = None
    """The local address of the dial role for SIP and RTP on this node, instead of `dialing.bindAddress`."""

    dial_public_address: str | None = None
    """The address of this node that is announced in SIP and SDP, instead of `dialing.publicAddress`."""

    log_level: str = "INFO"
    """The lowest level that is logged: `DEBUG`, `INFO`, `WARNING`, `ERROR`."""

    log_format: LogFormat = LogFormat.JSON
    """`json` for machines, `console` for people."""

    log_phone_numbers: bool = False
    """Show telephone numbers in logs; otherwise all but the last two digits are masked."""

    drain_seconds: float = 30.0
    """How long a service may take to finish work in progress after a stop signal, in seconds. Keep it
    below the pod's grace period, and for the dialer above the longest call."""

    health_port: int | None = Field(default=None, ge=0, le=65_535)
    """The port that serves `/healthz`, `/readyz` and `/metrics`; 0 takes a free port, which the
    log and `health.port` in the data directory name; unset: no port. The gateway also serves them with the
    API."""

    health_port_file: Path | None = None
    """The file that names the port instead of `health.port`; `cato up` gives each service one of its own."""

    health_host: str = "127.0.0.1"
    """The address of that endpoint."""

    scrape_targets: Path | None = None
    """A directory in which each process names the address of its `/metrics` while it runs, for
    `file_sd_configs` of Prometheus; unset: none."""
