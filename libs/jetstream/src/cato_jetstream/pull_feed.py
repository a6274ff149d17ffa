"""Messages of a pull consumer as a feed without gaps, or an error.

The client's `fetch` either waits for a full batch or sends two requests per call. None of its consumers
reports lost messages (a reconnection, a redelivery), and its ordered consumer detects a server restart only
after ten seconds. This feed keeps a request open, so that a slow reader slows the server down and an idle
reader receives heartbeats. It checks the consumer's delivery count: `take` returns consecutive messages or
fails.
"""

import asyncio
import json
import logging
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from uuid import uuid4

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, Header

from cato_jetstream.errors import EventLogError, Unavailable
from cato_jetstream.eventlog.log import Record
from cato_jetstream.translation import translated

logger = logging.getLogger(__name__)

_NEXT = "$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}"
_EXPIRES_S = 30.0
_FORGET_S = 30.0
_SOON_S = 0.05
_UNLIMITED = -1
_NS = 1_000_000_000
_TRACEPARENT = "traceparent"
_HEARTBEAT = "100"
_ENDS_A_REQUEST = ("404", "408")
_CONFLICT = "409"
_ALSO_END_A_REQUEST = ("Batch Completed", "Message Size Exceeds MaxBytes")


@dataclass(frozen=True, slots=True)
class Pace:
    """The requests of a feed: `batch` messages and `max_bytes` each, with heartbeats while there are none.

    `max_bytes` must exceed the largest message of the broker, or that would never be delivered. The feed is
    lost after `silence_s` without a message or a heartbeat.
    """

    batch: int = 512
    max_bytes: int = 16 * 1024 * 1024
    heartbeat_s: float = 1.0
    silence_s: float = 3.0


class PullFeed:
    """Reads one consumer from its creation on. After Unavailable the feed cannot be used any more."""

    def __init__(self, client: Client, stream: str, consumer: str, pace: Pace | None = None) -> None:
        self._client = client
        self._stream = stream
        self._pace = pace or Pace()
        self._subject = _NEXT.format(stream=stream, consumer=consumer)
        self._inbox = client.new_inbox()
        self._subscription: Subscription | None = None
        self._buffer: deque[Msg] = deque()
        self._arrived = asyncio.Event()
        self._asked = 0
        self._wanted = 1
        self._flushed = False
        self._delivered = 0
        self._heard = False
        self._silent = 0.0
        self._lost: str | None = None
        self._last_reply: tuple[int, str] | None = None

    async def open(self) -> None:
        """Subscribe; the first `take` requests messages. Raises Unavailable."""
        with translated(f"stream {self._stream} cannot be read"):
            self._subscription = await self._client.subscribe(
                self._inbox,
                cb=self._on_message,
                pending_msgs_limit=_UNLIMITED,
                pending_bytes_limit=_UNLIMITED,
            )

    async def take(self, limit: int, *, window: float = 0.0) -> list[Record]:
        """Wait for a message; return it and the others that are available or arrive within `window` seconds.

        Raises:
            Unavailable: messages may have been missed.

        """
        while not await self.wait():
            pass
        if window > 0:
            soon = min(window, _SOON_S)
            await self._arrival(limit, soon)
            if not self._flushed:
                await self._arrival(limit, window - soon)
        self._flushed = False
        return await self.take_now(limit)

    async def take_now(self, limit: int) -> list[Record]:
        """Return up to `limit` messages that are available. Raises the same errors as `take`."""
        records = [self._checked(self._buffer.popleft()) for _ in range(min(limit, len(self._buffer)))]
        await self._ask()
        return records

    async def wait(self) -> bool:
        """Wait for a message; False if none arrives within a heartbeat. Raises the same errors as `take`."""
        if not self._buffer:
            await self._ask()
            await self._arrival(1, self._pace.heartbeat_s)
        return bool(self._buffer)

    def flush(self) -> None:
        """Make the current or the next `take` return at once, because a reader waits for its messages."""
        self._flushed = True
        self._arrived.set()

    async def confirm(self, sequence: int) -> None:
        """Acknowledge the last message of a `take`, and with it everything before. Raises Unavailable."""
        last, self._last_reply = self._last_reply, None
        if last is not None and last[0] == sequence:
            with translated("an acknowledgement could not be sent"):
                await self._client.publish(last[1], b"+ACK")

    async def close(self) -> None:
        if self._subscription is not None:
            subscription, self._subscription = self._subscription, None
            with suppress(EventLogError), translated():  # without a connection there is none to end
                await subscription.unsubscribe()

    async def _ask(self) -> None:
        if self._asked + len(self._buffer) > self._pace.batch // 2:
            return
        self._asked += self._pace.batch
        request = {
            "batch": self._pace.batch,
            "max_bytes": self._pace.max_bytes,
            "expires": int(_EXPIRES_S * _NS),
            "idle_heartbeat": int(self._pace.heartbeat_s * _NS),
        }
        with translated(f"stream {self._stream} cannot be asked"):
            await self._client.publish(self._subject, json.dumps(request).encode(), reply=self._inbox)

    async def _arrival(self, wanted: int, timeout: float) -> None:
        """Wait until `wanted` messages are in the buffer, `flush` is called, or the time is over."""
        self._wanted = wanted
        if self._lost is None and len(self._buffer) < wanted:
            self._arrived.clear()
            try:
                async with asyncio.timeout(timeout):
                    await self._arrived.wait()
            except TimeoutError:
                self._notice_silence(timeout)
        if self._lost is not None:
            raise Unavailable(f"reading stream {self._stream} ended: {self._lost}")

    def _notice_silence(self, seconds: float) -> None:
        # Added up over waits instead of read from the clock: messages that arrived while the event loop was
        # busy are heard in the next wait.
        self._silent = 0.0 if self._heard else self._silent + seconds
        self._heard = False
        if self._silent > self._pace.silence_s:
            self._lost = "no message and no heartbeat came"

    async def _on_message(self, message: Msg) -> None:
        self._heard = True
        headers = message.headers or {}
        status = headers.get(Header.STATUS)
        description = headers.get(Header.DESCRIPTION, "")
        if status is None:
            self._asked -= 1
            self._buffer.append(message)
            if len(self._buffer) >= self._wanted:
                self._arrived.set()
        elif status in _ENDS_A_REQUEST or (
            status == _CONFLICT and description.startswith(_ALSO_END_A_REQUEST)
        ):
            self._asked -= int(headers.get("Nats-Pending-Messages", 0))
            self._arrived.set()
        elif status != _HEARTBEAT:
            self._lost = f"status {status} {description}"
            self._arrived.set()

    def _checked(self, message: Msg) -> Record:
        with translated():
            metadata = message.metadata
        delivered, times = metadata.sequence.consumer, metadata.num_delivered
        if times != 1 or delivered != self._delivered + 1:
            self._lost = f"delivery {delivered} (attempt {times}) came after {self._delivered}"
            raise Unavailable(f"reading stream {self._stream} ended: {self._lost}")
        self._delivered = delivered
        self._last_reply = (metadata.sequence.stream, message.reply)
        traceparent = message.headers.get(_TRACEPARENT) if message.headers else None
        return Record(message.subject, metadata.sequence.stream, message.data, traceparent)


@asynccontextmanager
async def ephemeral_feed(
    client: Client, js: JetStreamContext, stream: str, config: ConsumerConfig, pace: Pace | None = None
) -> AsyncIterator[tuple[PullFeed, int]]:
    """Read a stream with a separate consumer; return the feed and the current number of messages.

    Raises:
        Unavailable: the broker does not answer.

    """
    consumer = uuid4().hex
    config.name = consumer
    config.ack_policy = AckPolicy.NONE
    config.max_deliver = 1
    config.mem_storage = True
    config.num_replicas = 1
    config.inactive_threshold = _FORGET_S
    with translated(f"stream {stream} cannot be read"):
        info = await js.add_consumer(stream, config)
    feed = PullFeed(client, stream, consumer, pace)
    try:
        await feed.open()
        yield feed, info.num_pending or 0
    finally:
        await feed.close()
        try:
            with translated():
                await js.delete_consumer(stream, consumer)
        except EventLogError:
            logger.debug("consumer is left to expire", extra={"stream": stream, "consumer": consumer})
