"""Follow the entries of a bucket for as long as the process lives, over all reconnections."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

import structlog
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.kv import KeyValue

from cato_contracts.errors import BrokerError
from cato_jetstream import EventLogError, translated

log = structlog.get_logger()

_CHECK_S = 1.0
_REOPEN_S = 1.0

Entries = AsyncGenerator[KeyValue.Entry | None, None]
"""Entries as they come, and None once when all that were there at the beginning have been read."""


async def follow_bucket(
    client: Client,
    js: JetStreamContext,
    bucket: str,
    take: Callable[[Entries], Awaitable[None]],
    *,
    warning: str,
) -> None:
    """Call `take` with the entries of one connection, and again after each reconnection or error.

    A new watch follows the bucket sooner than an old one, which may take long to resume. `warning` is logged
    with an error.
    """
    while True:
        try:
            with translated():
                async with contextlib.aclosing(_entries(client, js, bucket)) as entries:
                    await take(entries)
        except EventLogError as error:
            log.warning(warning, error=str(error))
            await asyncio.sleep(_REOPEN_S)


async def _entries(client: Client, js: JetStreamContext, name: str) -> Entries:
    connection = client.stats["reconnects"]
    bucket = await js.key_value(name)
    watcher: Any = await bucket.watchall()
    try:
        while client.stats["reconnects"] == connection:
            try:
                entry = await watcher.updates(timeout=_CHECK_S)
            except TimeoutError:
                continue
            yield entry
    finally:
        with contextlib.suppress(BrokerError), translated():  # without a connection there is no watch
            await watcher.stop()
