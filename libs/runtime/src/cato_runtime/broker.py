"""The connection to the broker, and the streams and buckets that must be there."""

import asyncio
from typing import Any

import structlog
from faststream.nats import NatsBroker
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import (
    DiscardPolicy,
    ObjectStoreConfig,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)
from nats.js.errors import BadRequestError, NotFoundError

from cato_contracts.errors import BrokerError
from cato_contracts.subjects import (
    KEY_VALUE_BUCKETS,
    OBJECT_BUCKETS,
    STREAMS,
    BucketSpec,
    Retention,
    StreamSpec,
)

log = structlog.get_logger()

_FOR_EVER = -1
_RECONNECT_WAIT_S = 0.5
_PING_INTERVAL_S = 5
_STREAM_NAME_IN_USE = 10058


def make_broker(url: str, name: str) -> NatsBroker:
    """Return a broker that reconnects for as long as the process lives; nothing is sent before `start`."""

    async def on_error(error: Exception) -> None:
        log.warning("broker connection trouble", error=repr(error))

    async def on_disconnect() -> None:
        log.warning("broker connection lost")

    async def on_reconnect() -> None:
        log.info("broker connection back")

    return NatsBroker(
        [server.strip() for server in url.split(",")],
        name=name,
        error_cb=on_error,
        disconnected_cb=on_disconnect,
        reconnected_cb=on_reconnect,
        max_reconnect_attempts=_FOR_EVER,
        reconnect_time_wait=_RECONNECT_WAIT_S,  # type: ignore[arg-type]  # the client takes fractions
        ping_interval=_PING_INTERVAL_S,
        logger=None,
    )


async def connect(broker: NatsBroker, *, timeout: float = 30.0) -> Client:
    """Connect, waiting for a broker that is still starting, and return the client under it.

    Raises:
        BrokerError: if there is no broker within `timeout` seconds.

    """
    try:
        async with asyncio.timeout(timeout):
            while True:
                try:
                    client: Client = await broker.connect()
                except (OSError, NatsError) as error:
                    log.info("waiting for the broker", error=repr(error))
                    await asyncio.sleep(_RECONNECT_WAIT_S)
                else:
                    return client
    except TimeoutError as error:
        raise BrokerError(f"no broker within {timeout} s") from error


async def ensure_topology(js: JetStreamContext, *, replicas: int = 1) -> None:
    """Create every stream and bucket that is missing; those that exist stay as they are."""
    for stream in STREAMS:
        await _ensure_stream(js, _stream_config(stream, replicas))
    for bucket in KEY_VALUE_BUCKETS:
        await _ensure_stream(js, _bucket_config(bucket, replicas))
    for name, age in OBJECT_BUCKETS.items():
        try:
            await js.stream_info(f"OBJ_{name}")
        except NotFoundError:
            ttl = age.total_seconds() if age else None
            await js.create_object_store(
                name, ObjectStoreConfig(bucket=name, ttl=ttl, storage=StorageType.FILE, replicas=replicas)
            )


async def _ensure_stream(js: JetStreamContext, config: StreamConfig) -> None:
    try:
        await js.add_stream(config)
    except BadRequestError as error:
        # It exists with another configuration: an operator's choice (replicas, placement, limits) stands.
        if error.err_code != _STREAM_NAME_IN_USE:
            raise


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
        **limited,
    )


def _bucket_config(spec: BucketSpec, replicas: int) -> StreamConfig:
    # Made by hand rather than by create_key_value, which cannot ask for expiry of single keys.
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
