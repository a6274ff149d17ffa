"""The connection to the broker, and the streams and buckets that must be there."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import structlog
from faststream.nats import NatsBroker
from faststream.nats.security import NatsSecurity, NatsToken, NatsUserPassword
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import (
    DiscardPolicy,
    ObjectStoreConfig,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)

from cato_contracts.errors import BrokerError, ConfigurationError
from cato_contracts.subjects import (
    KEY_VALUE_BUCKETS,
    OBJECT_BUCKETS,
    STREAMS,
    BucketSpec,
    Retention,
    StreamSpec,
)
from cato_jetstream import BrokerAddress, NameInUse, translated
from cato_runtime.access.permissions import inbox_prefix
from cato_runtime.access.violations import Violations
from cato_runtime.configuration.config_section import secret_of
from cato_runtime.configuration.settings import ServiceSettings

log = structlog.get_logger()

T = TypeVar("T")

_FOR_EVER = -1
_RECONNECT_WAIT_S = 0.5
_PING_INTERVAL_S = 5


class _Broker(NatsBroker):
    """A broker client that knows whether its connection ends because it was stopped."""

    stopping = False

    async def stop(self, *args: Any, **kwargs: Any) -> None:
        self.stopping = True
        await super().stop(*args, **kwargs)


def broker_of(settings: ServiceSettings, name: str) -> NatsBroker:
    """Return the broker that the settings name.

    Raises:
        ConfigurationError: as `make_broker`, or if a file cannot be read.

    """
    password = None
    if settings.nats_password_file is not None:
        password = secret_of(None, settings.nats_password_file, "password of the broker")
    return make_broker(settings.nats_url, name, password=password, ca_file=settings.nats_ca_file)


def make_broker(
    url: str, name: str, *, password: str | None = None, ca_file: Path | None = None
) -> NatsBroker:
    """Return a broker that reconnects for as long as the process lives; nothing is sent before `start`.

    Raises:
        ConfigurationError: the URL is not a valid broker address, or the authorities cannot be read.

    """
    address, context = _address(url, password), _context(ca_file)
    last_error = ""
    violations = Violations()

    async def on_error(error: Exception) -> None:
        # The client retries at each interval; log one line for each kind of failure.
        nonlocal last_error
        if violations.told(error):
            return
        if repr(error) != last_error:
            last_error = repr(error)
            log.warning("broker connection failed", error=last_error)

    async def on_disconnect() -> None:
        if not broker.stopping:
            log.warning("broker connection lost")

    async def on_closed() -> None:
        # The broker has ended the connection for good, for example as the password of its user was replaced.
        if not broker.stopping:
            log.error("broker client closed: restart the service", error=repr(broker.connection.last_error))

    async def on_reconnect() -> None:
        nonlocal last_error
        last_error = ""
        log.info("broker connection restored")

    broker = _Broker(
        address.servers,
        security=_security(address, context),
        name=name,
        inbox_prefix=inbox_prefix(address.user or name),
        error_cb=on_error,
        disconnected_cb=on_disconnect,
        closed_cb=on_closed,
        reconnected_cb=on_reconnect,
        max_reconnect_attempts=_FOR_EVER,
        reconnect_time_wait=_RECONNECT_WAIT_S,  # type: ignore[arg-type]  # the client takes fractions
        ping_interval=_PING_INTERVAL_S,
        logger=None,
    )
    return broker


def _address(url: str, password: str | None) -> BrokerAddress:
    try:
        address = BrokerAddress.parse(url)
        return address if password is None else address.with_password(password)
    except ValueError as error:
        raise ConfigurationError(f"CATO_NATS_URL: {error}") from error


def _context(ca_file: Path | None) -> ssl.SSLContext | None:
    try:
        return None if ca_file is None else ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise ConfigurationError(f"CATO_NATS_CA_FILE: {ca_file}: {error}") from error


def _security(address: BrokerAddress, context: ssl.SSLContext | None) -> NatsSecurity | None:
    if address.token is not None:
        return NatsToken(address.token, ssl_context=context)
    if address.user is not None and address.password is not None:
        return NatsUserPassword(address.user, address.password, ssl_context=context)
    return NatsSecurity(ssl_context=context) if context is not None else None


async def connect(broker: NatsBroker, *, timeout: float = 30.0) -> Client:
    """Connect, wait for a broker that is still starting, and return the underlying NATS client.

    Raises:
        BrokerError: if there is no broker within `timeout` seconds.

    """
    try:
        async with asyncio.timeout(timeout):
            while True:
                try:
                    with translated():
                        client: Client = await broker.connect()
                except BrokerError as error:
                    log.info("waiting for the broker", error=str(error))
                    await asyncio.sleep(_RECONNECT_WAIT_S)
                else:
                    return client
    except TimeoutError as error:
        raise BrokerError(f"no broker within {timeout} s") from error


async def patiently(work: Callable[[], Awaitable[T]], *, timeout: float = 30.0) -> T:
    """Repeat work that the broker does not answer: its servers may change at this moment.

    Raises:
        BrokerError: that of the last try, after `timeout` seconds.

    """
    deadline = asyncio.get_running_loop().time() + timeout
    while True:
        try:
            return await work()
        except BrokerError as error:
            if asyncio.get_running_loop().time() >= deadline:
                raise
            log.info("broker does not answer yet, trying again", error=str(error))
            await asyncio.sleep(_RECONNECT_WAIT_S)


async def ensure_topology(js: JetStreamContext, *, replicas: int = 1) -> None:
    """Create every stream and bucket that is missing; those that exist stay as they are.

    An existing one may have another configuration: an operator's choice of replicas or limits is kept.

    Raises:
        BrokerError: the broker does not answer, or rejects the request.

    """
    configs = [
        *(_stream_config(stream, replicas) for stream in STREAMS),
        *(_bucket_config(bucket, replicas) for bucket in KEY_VALUE_BUCKETS),
    ]
    for config in configs:
        with suppress(NameInUse), translated(f"stream {config.name} cannot be created"):
            await js.add_stream(config)
    for name, age in OBJECT_BUCKETS.items():
        ttl = age.total_seconds() if age else None
        bucket = ObjectStoreConfig(bucket=name, ttl=ttl, storage=StorageType.FILE, replicas=replicas)
        with suppress(NameInUse), translated(f"object bucket {name} cannot be created"):
            await js.create_object_store(name, bucket)


def _stream_config(spec: StreamSpec, replicas: int) -> StreamConfig:
    limited: dict[str, Any] = {}
    if spec.max_per_subject:
        limited = {
            "max_msgs_per_subject": spec.max_per_subject,
            "discard": DiscardPolicy.NEW,
            "discard_new_per_subject": True,
        }
    return StreamConfig(
        name=spec.name,
        subjects=list(spec.subjects),
        retention=RetentionPolicy(spec.retention) if spec.retention is not Retention.LIMITS else None,
        storage=StorageType.FILE,
        num_replicas=replicas,
        max_age=spec.max_age.total_seconds() if spec.max_age else None,
        duplicate_window=spec.duplicate_window.total_seconds(),
        allow_direct=True,
        deny_delete=spec.append_only,
        deny_purge=spec.append_only,
        **limited,
    )


def _bucket_config(spec: BucketSpec, replicas: int) -> StreamConfig:
    # Created as a stream, because create_key_value cannot enable the expiry of single keys.
    return StreamConfig(
        name=f"KV_{spec.name}",
        subjects=[f"$KV.{spec.name}.>"],
        storage=StorageType.FILE,
        num_replicas=replicas,
        max_msgs_per_subject=1,
        discard=DiscardPolicy.NEW,
        allow_rollup_hdrs=True,
        deny_delete=True,
        allow_direct=True,
        allow_msg_ttl=spec.key_ttl or None,
    )
