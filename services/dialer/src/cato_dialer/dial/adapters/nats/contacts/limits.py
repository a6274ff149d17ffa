"""Follow the limits of contacts in the bucket `contact_limits`."""

import asyncio

import structlog
from nats.aio.client import Client
from nats.js.kv import KV_DEL, KV_PURGE, KeyValue
from pydantic import ValidationError

from cato_contracts.api.rules.contacts import StoredContactLimits
from cato_contracts.subjects import CONTACT_LIMITS
from cato_dialer.dial.adapters.nats.bucket_follower import Entries, follow_bucket
from cato_dialer.dial.domain.permission.contacts import LimitsInForce
from cato_jetstream import Unavailable
from cato_runtime.process.tasks import end_tasks

log = structlog.get_logger()

_TIMEOUT_S = 2.0
_OPEN_S = 10.0


class FollowedLimits:
    """The limits of users and of the system as last read."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.in_force = LimitsInForce()
        self._read_once = asyncio.Event()
        self._follower: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Read the limits, then follow their changes. Raises Unavailable."""
        self._follower = asyncio.create_task(
            follow_bucket(
                self._client,
                self._client.jetstream(timeout=_TIMEOUT_S),
                CONTACT_LIMITS.name,
                self._take,
                warning="limits of contacts cannot be followed",
            )
        )
        try:
            async with asyncio.timeout(_OPEN_S):
                await self._read_once.wait()
        except TimeoutError as error:
            raise Unavailable("the limits of contacts cannot be read") from error

    async def close(self) -> None:
        await end_tasks(self._follower)

    async def _take(self, entries: Entries) -> None:
        found: dict[str, StoredContactLimits] = {}
        current = False
        async for entry in entries:
            if entry is None:
                current = True
            else:
                _apply(found, entry)
            if current:
                self.in_force = LimitsInForce(found.values())
                self._read_once.set()


def _apply(limits: dict[str, StoredContactLimits], entry: KeyValue.Entry) -> None:
    """Take over a change of the bucket."""
    if entry.operation in (KV_DEL, KV_PURGE):
        limits.pop(entry.key, None)
        return
    try:
        limits[entry.key] = StoredContactLimits.model_validate_json(entry.value or b"")
    except ValidationError:
        log.exception("limits of contacts cannot be decoded", key=entry.key)
