"""Follow the dispatch states of the runs in the bucket `runs`."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from uuid import UUID

import structlog
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.kv import KV_DEL, KV_PURGE, KeyValue
from pydantic import ValidationError

from cato_contracts.messages.jobs import RunDispatchState
from cato_contracts.subjects import RUN_DISPATCH_STATES
from cato_dialer.dial.adapters.nats.bucket_follower import Entries, follow_bucket
from cato_runtime.process.tasks import end_tasks

log = structlog.get_logger()

_TIMEOUT_S = 5.0


class NatsRunStates:
    """The states of all runs as last read.

    `on_change` is called after a change, `on_removed` with a run that has ended, `on_reconnected` once the
    states are followed over a new connection.
    """

    def __init__(
        self,
        client: Client,
        on_change: Callable[[], None],
        on_removed: Callable[[UUID], Awaitable[None]],
        on_reconnected: Callable[[], None],
    ) -> None:
        self._client = client
        self._js: JetStreamContext = client.jetstream(timeout=_TIMEOUT_S)
        self._states: dict[UUID, RunDispatchState] = {}
        self._on_change = on_change
        self._on_removed = on_removed
        self._on_reconnected = on_reconnected
        self._follower: asyncio.Task[None] | None = None

    @property
    def states(self) -> Mapping[UUID, RunDispatchState]:
        return self._states

    def open(self) -> None:
        self._follower = asyncio.create_task(
            follow_bucket(
                self._client,
                self._js,
                RUN_DISPATCH_STATES.name,
                self._take,
                warning="runs cannot be followed",
            )
        )

    async def close(self) -> None:
        await end_tasks(self._follower)

    async def _take(self, entries: Entries) -> None:
        before = set(self._states)
        caught_up = False
        async for entry in entries:
            if entry is None:
                caught_up = True
                for gone in before:
                    await self._remove(gone)
            elif (run_id := await self._apply(entry)) is not None:
                before.discard(run_id)
            if caught_up:
                self._on_change()
        self._on_reconnected()
        self._on_change()

    async def _apply(self, entry: KeyValue.Entry) -> UUID | None:
        try:
            run_id = UUID(entry.key)
            if entry.operation in (KV_DEL, KV_PURGE):
                await self._remove(run_id)
                return None
            self._states[run_id] = RunDispatchState.model_validate_json(entry.value or b"")
        except (ValueError, ValidationError):
            log.exception("dispatch state of a run cannot be decoded", key=entry.key)
            return None
        return run_id

    async def _remove(self, run_id: UUID) -> None:
        self._states.pop(run_id, None)
        await self._on_removed(run_id)
