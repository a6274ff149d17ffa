"""Messages of a pull consumer as a feed without gaps, or an error.

The client's own `fetch` either waits for a full batch or asks twice per call, and none of its ways to
consume tells that messages were lost on the way (a reconnection, a redelivery). This one keeps a request
open, listens for heartbeats, and checks the consumer's count of deliveries: what `take` returns is what
follows, one by one.
"""

import asyncio
import json
from collections import deque
from contextlib import suppress

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from cato_contracts.errors import BrokerError
from cato_jetstream import translated
from cato_reporting.errors import FeedLostError
from cato_reporting.ports import LogMessage

_NEXT = "$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}"
_BATCH = 500
_ASKED = 5_000
_EXPIRES_S = 30.0
_HEARTBEAT_S = 0.2
_SILENCE_S = 1.5
_SOON_S = 0.05
_UNLIMITED = -1
_TOKENS_WITHOUT_DOMAIN = 9


class PullFeed:
    """Reads one consumer, from its creation on; a feed that was lost is of no use any more."""

    def __init__(self, client: Client, stream: str, consumer: str) -> None:
        self._client = client
        self._subject = _NEXT.format(stream=stream, consumer=consumer)
        self._inbox = client.new_inbox()
        self._subscription: Subscription | None = None
        self._buffer: deque[Msg] = deque()
        self._arrived = asyncio.Event()
        self._asked = 0
        self._wanted = 1
        self._hurried = False
        self._delivered = 0
        self._heard = False
        self._silent = 0.0
        self._lost: str | None = None
        self._acks: dict[int, str] = {}

    async def open(self) -> None:
        self._subscription = await self._client.subscribe(
            self._inbox,
            cb=self._on_message,
            pending_msgs_limit=_UNLIMITED,
            pending_bytes_limit=_UNLIMITED,
        )

    async def take(self, limit: int = _BATCH, *, window: float = 0.0) -> list[LogMessage]:
        """Wait for a message, then return it with those that are there or come within `window` seconds.

        Raises:
            FeedLostError: if messages may have been missed.

        """
        while not self._buffer:
            await self._ask()
            await self._arrival(1, _HEARTBEAT_S)
        if window > 0:
            soon = min(window, _SOON_S)
            await self._arrival(limit, soon)
            if not self._hurried:
                await self._arrival(limit, window - soon)
        self._hurried = False
        messages = [self._checked(self._buffer.popleft()) for _ in range(min(limit, len(self._buffer)))]
        await self._ask()
        return messages

    def hurry(self) -> None:
        """Let the `take` under way, or the next one, return soon: somebody waits for what it has."""
        self._hurried = True
        self._arrived.set()

    async def confirm(self, position: int) -> None:
        """Acknowledge everything up to the last message of a `take`."""
        reply = self._acks.get(position)
        self._acks.clear()
        if reply is not None:
            try:
                with translated():
                    await self._client.publish(reply, b"+ACK")
            except BrokerError as error:
                raise FeedLostError(f"an acknowledgement could not be sent: {error!r}") from error

    async def close(self) -> None:
        if self._subscription is not None:
            subscription, self._subscription = self._subscription, None
            with suppress(BrokerError), translated():  # without a connection there is no subscription to end
                await subscription.unsubscribe()

    async def _ask(self) -> None:
        if self._asked + len(self._buffer) > _ASKED // 2:
            return
        self._asked += _ASKED
        request = {
            "batch": _ASKED,
            "expires": int(_EXPIRES_S * 1e9),
            "idle_heartbeat": int(_HEARTBEAT_S * 1e9),
        }
        try:
            with translated():
                await self._client.publish(self._subject, json.dumps(request).encode(), reply=self._inbox)
        except BrokerError as error:
            raise FeedLostError(f"nothing can be asked for: {error!r}") from error

    async def _arrival(self, wanted: int, timeout: float) -> None:
        """Wait until `wanted` messages are in the buffer, somebody is in a hurry, or the time is over."""
        self._wanted = wanted
        if self._lost is None and len(self._buffer) < wanted:
            self._arrived.clear()
            try:
                async with asyncio.timeout(timeout):
                    await self._arrived.wait()
            except TimeoutError:
                self._notice_silence(timeout)
        if self._lost is not None:
            raise FeedLostError(self._lost)

    def _notice_silence(self, seconds: float) -> None:
        # Added up over waits instead of read from the clock: what arrived while the event loop was busy is
        # heard in the next wait.
        self._silent = 0.0 if self._heard else self._silent + seconds
        self._heard = False
        if self._silent > _SILENCE_S:
            self._lost = "nothing was heard of the consumer, not even a heartbeat"

    async def _on_message(self, message: Msg) -> None:
        self._heard = True
        status = message.headers.get("Status") if message.headers else None
        if status is None:
            self._asked -= 1
            self._buffer.append(message)
            if len(self._buffer) >= self._wanted:
                self._arrived.set()
        elif status == "408" and message.headers:  # the request has expired
            self._asked -= int(message.headers.get("Nats-Pending-Messages", 0))
            self._arrived.set()
        elif status != "100":
            self._lost = f"status {status} {message.headers.get('Description') if message.headers else ''}"
            self._arrived.set()

    def _checked(self, message: Msg) -> LogMessage:
        # $JS.ACK.<stream>.<consumer>.<times delivered>.<stream seq>.<consumer seq>.<time>.<pending>, with the
        # domain and the account in the third and fourth place on servers that have them.
        tokens = message.reply.split(".")
        place = 4 if len(tokens) == _TOKENS_WITHOUT_DOMAIN else 6
        times, position, delivered = (int(token) for token in tokens[place : place + 3])
        if times != 1 or delivered != self._delivered + 1:
            raise FeedLostError(f"delivery {delivered} (try {times}) came after {self._delivered}")
        self._delivered = delivered
        self._acks = {position: message.reply}
        return LogMessage(message.subject, position, message.data)
