"""The jobs of one run, pulled from its consumer on the stream DIAL.

The pull requests are written here, as `fetch` of nats-py either waits for its whole batch or asks for a
single message. A no-wait pull drains the queue; an empty queue is long-polled with a batch of one.
"""

import asyncio
import contextlib
import json
from collections.abc import Callable
from uuid import UUID

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.js.api import Header

from cato_contracts.errors import BrokerError
from cato_contracts.subjects import DIAL, dial_consumer
from cato_jetstream import translated

log = structlog.get_logger()

_PULL_TIMEOUT_S = 2.0
_POLL_S = 30.0
_RETRY_S = 1.0
_EXPIRED = "408"


class RunQueue:
    """One replica's end of a run's consumer; `on_arrival` is called when there may be jobs again."""

    def __init__(self, client: Client, run_id: UUID, on_arrival: Callable[[], None]) -> None:
        self._client = client
        self._run_id = run_id
        self._request = f"$JS.API.CONSUMER.MSG.NEXT.{DIAL.name}.{dial_consumer(run_id)}"
        self._on_arrival = on_arrival
        self._pull_inbox = client.new_inbox()
        self._poll_inbox = client.new_inbox()
        self._pulled: asyncio.Queue[Msg] = asyncio.Queue()
        self._arrived: list[Msg] = []
        self._polling_until: float | None = None
        self._subscriptions: list[Subscription] = []

    async def open(self) -> None:
        self._subscriptions = [
            await self._client.subscribe(self._pull_inbox, cb=self._on_pulled),
            await self._client.subscribe(self._poll_inbox, cb=self._on_polled),
        ]

    async def close(self) -> None:
        for subscription in self._subscriptions:
            with contextlib.suppress(BrokerError), translated():  # without a connection there is none to end
                await subscription.unsubscribe()

    async def take(self, limit: int) -> list[Msg]:
        """Return up to `limit` messages that are queued now; with fewer, long-poll for the next one."""
        messages, self._arrived = self._arrived[:limit], self._arrived[limit:]
        if len(messages) < limit and not self._is_polling():
            messages += await self._pull(limit - len(messages))
            if len(messages) < limit:
                await self._poll()
        return messages

    def forget_requests(self) -> None:
        """Ask again: the connection was lost, and the pending requests with it."""
        self._polling_until = None

    def unused(self) -> list[Msg]:
        """Return the messages that have arrived since the last `take`."""
        messages, self._arrived = self._arrived, []
        return messages

    def _is_polling(self) -> bool:
        now = asyncio.get_running_loop().time()
        return self._polling_until is not None and now < self._polling_until

    async def _pull(self, count: int) -> list[Msg]:
        # First the late messages of an earlier request that has timed out.
        messages: list[Msg] = []
        while len(messages) < count and not self._pulled.empty():
            late = self._pulled.get_nowait()
            if _status(late) is None:
                messages.append(late)
        if len(messages) == count:
            return messages
        await self._ask({"batch": count - len(messages), "no_wait": True}, self._pull_inbox)
        try:
            async with asyncio.timeout(_PULL_TIMEOUT_S):
                while len(messages) < count:
                    message = await self._pulled.get()
                    if _status(message) is not None:
                        break
                    messages.append(message)
        except TimeoutError:
            log.warning("consumer of a run does not answer", run_id=str(self._run_id))
        return messages

    async def _poll(self) -> None:
        self._polling_until = asyncio.get_running_loop().time() + _POLL_S + _RETRY_S
        await self._ask({"batch": 1, "expires": int(_POLL_S * 1e9)}, self._poll_inbox)

    async def _ask(self, request: dict[str, object], inbox: str) -> None:
        await self._client.publish(self._request, json.dumps(request).encode(), reply=inbox)

    async def _on_pulled(self, message: Msg) -> None:
        self._pulled.put_nowait(message)

    async def _on_polled(self, message: Msg) -> None:
        status = _status(message)
        if status is None:
            self._polling_until = None
            self._arrived.append(message)
            self._on_arrival()
        elif status == _EXPIRED:
            self._polling_until = None
            self._on_arrival()
        else:
            # The consumer does not exist (yet, or any more), or has no leader: ask once a second.
            self._polling_until = asyncio.get_running_loop().time() + _RETRY_S


def _status(message: Msg) -> str | None:
    return (message.headers or {}).get(Header.STATUS)
