"""The log on a NATS JetStream stream."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from uuid import uuid4

from nats.aio.client import Client
from nats.js import api

from cato_jetstream.backoff import backoff_s
from cato_jetstream.errors import Corrupt, DuplicateId, NotFound, Unavailable
from cato_jetstream.eventlog.log import Appended, Record
from cato_jetstream.publish import ConditionalPublisher
from cato_jetstream.pull_feed import ephemeral_feed
from cato_jetstream.translation import translated

_AT_ONCE = 256


class JetStreamLog:
    """Implements `cato_jetstream.eventlog.log.Log` on one stream, which must exist when it is used.

    The stream must keep the messages of the subjects (no limits), and be configured with `allow_direct` for
    fast loads. Connect the client with `max_reconnect_attempts=-1`.

    `timeout_s` bounds one request. A write without an acknowledgement is repeated: `attempts` in all.
    """

    def __init__(self, client: Client, stream: str, *, timeout_s: float = 2.0, attempts: int = 3) -> None:
        self._client = client
        self._js = client.jetstream(timeout=timeout_s)
        self._stream = stream
        self._timeout_s = timeout_s
        self._publisher = ConditionalPublisher(self._js, stream, timeout_s=timeout_s)
        self._attempts = attempts
        self._direct: bool | None = None

    @property
    def closed(self) -> bool:
        return self._client.is_closed

    async def append(self, subject: str, data: bytes, *, expected: int, message_id: str) -> Appended:
        """Repeat until acknowledged; an earlier attempt that was stored after all is recognised as ours."""
        token = uuid4().hex
        attempt = 1
        while True:
            try:
                written = await self._publisher.publish(
                    subject, data, expected=expected, message_id=message_id, token=token
                )
            except DuplicateId as error:
                return Appended(error.sequence, duplicate=True)
            except Unavailable:
                if attempt == self._attempts or self.closed:
                    raise
            else:
                return Appended(written.sequence, duplicate=False)
            await asyncio.sleep(backoff_s(attempt))
            attempt += 1

    async def last(self, subject: str, *, fresh: bool = False) -> Record | None:
        direct = not fresh and await self._allows_direct()
        return await self._get(subject, direct=direct)

    async def next(self, subject: str, after: int) -> Record | None:
        return await self._get(subject, after=after)

    async def delete(self, sequence: int) -> None:
        with translated():
            await self._js.delete_msg(self._stream, sequence)

    async def end(self, subjects: Sequence[str]) -> int:
        lasts = [await self._get(subject) for subject in subjects]
        return max((record.sequence for record in lasts if record is not None), default=0)

    async def read(self, subjects: Sequence[str], *, after: int) -> AsyncGenerator[Record | None, None]:
        state = (await self._info()).state
        if state.last_seq < after:
            # A server that lost the tail of the log assigns the same sequences again, to other messages.
            raise Corrupt(f"stream {self._stream} ends at {state.last_seq}, but {after} has been read")
        config = api.ConsumerConfig(
            filter_subjects=list(subjects),
            deliver_policy=api.DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=after + 1,
        )
        async with ephemeral_feed(self._client, self._js, self._stream, config) as (feed, _):
            while True:
                if not await feed.wait():
                    yield None
                for record in await feed.take_now(_AT_ONCE):
                    yield record

    async def _get(self, subject: str, *, after: int | None = None, direct: bool = False) -> Record | None:
        try:
            with translated():
                if after is None:
                    message = await self._js.get_msg(self._stream, subject=subject, direct=direct)
                else:
                    message = await self._js.get_msg(self._stream, seq=after + 1, subject=subject, next=True)
        except NotFound:
            return None
        except Unavailable:
            # The server is unreachable, or the stream no longer allows direct gets: check again next time.
            self._direct = None
            raise
        if message.subject is None or message.seq is None:
            raise Corrupt(f"a message of stream {self._stream} has no subject or sequence")
        return Record(message.subject, message.seq, message.data or b"")

    async def _allows_direct(self) -> bool:
        if self._direct is None:
            self._direct = bool((await self._info()).config.allow_direct)
        return self._direct

    async def _info(self) -> api.StreamInfo:
        with translated():
            return await self._js.stream_info(self._stream)
