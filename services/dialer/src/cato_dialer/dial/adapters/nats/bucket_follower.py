"""Follow the entries of a bucket for as long as the process lives, over all reconnections."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, Generic, TypeVar

import structlog
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.kv import KV_DEL, KV_PURGE, KeyValue
from pydantic import BaseModel, ValidationError

from cato_contracts.errors import BrokerError
from cato_jetstream import EventLogError, Unavailable, translated
from cato_runtime.process.tasks import end_tasks

log = structlog.get_logger()

_CHECK_S = 1.0
_REOPEN_S = 1.0
_TIMEOUT_S = 2.0
_OPEN_S = 10.0

T = TypeVar("T", bound=BaseModel)

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


class FollowedDocuments(Generic[T]):
    """The documents of a bucket by their keys. `use` gets all of them at first, and after each change.

    `what` names them in messages; `undecodable` is logged for one that cannot be read.
    """

    def __init__(
        self,
        client: Client,
        bucket: str,
        model: type[T],
        use: Callable[[dict[str, T]], None],
        *,
        what: str,
        undecodable: str,
    ) -> None:
        self._client = client
        self._bucket = bucket
        self._model = model
        self._use = use
        self._what = what
        self._undecodable = undecodable
        self._read_once = asyncio.Event()
        self._follower: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Read the documents, then follow their changes. Raises Unavailable."""
        js = self._client.jetstream(timeout=_TIMEOUT_S)
        self._follower = asyncio.create_task(
            follow_bucket(
                self._client, js, self._bucket, self._take, warning=f"{self._what} cannot be followed"
            )
        )
        try:
            async with asyncio.timeout(_OPEN_S):
                await self._read_once.wait()
        except TimeoutError as error:
            raise Unavailable(f"the {self._what} cannot be read") from error

    async def close(self) -> None:
        await end_tasks(self._follower)

    async def _take(self, entries: Entries) -> None:
        found: dict[str, T] = {}
        current = False
        async for entry in entries:
            if entry is None:
                current = True
            else:
                self._apply(found, entry)
            if current:
                self._use(found)
                self._read_once.set()

    def _apply(self, documents: dict[str, T], entry: KeyValue.Entry) -> None:
        """Take over a change of the bucket."""
        if entry.operation in (KV_DEL, KV_PURGE):
            documents.pop(entry.key, None)
            return
        try:
            documents[entry.key] = self._model.model_validate_json(entry.value or b"")
        except ValidationError:
            log.exception(self._undecodable, key=entry.key)


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
