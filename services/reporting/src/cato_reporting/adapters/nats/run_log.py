"""The log of runs and the dead letters, in JetStream."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from uuid import UUID

import structlog
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from cato_contracts.api.status import SERVICE
from cato_contracts.errors import BrokerError
from cato_contracts.subjects import READ_MODEL_CONSUMER, RUN_DISPATCH_STATES, RUNS
from cato_jetstream import (
    DeadLetters,
    NotFound,
    Origin,
    Pace,
    PullFeed,
    Record,
    ephemeral_feed,
    translated,
)
from cato_reporting.ports import LogMessage

log = structlog.get_logger()

DURABLE = READ_MODEL_CONSUMER
"""The consumer whose acknowledged position shows how far the read model is filled."""

_BATCH = 500
_PACE = Pace(batch=5_000, heartbeat_s=0.2, silence_s=1.5)
_ACK_WAIT_S = 60.0
_MAX_ACK_PENDING = 20_000
_RETRY_S = 0.2
_LIVE_WINDOW_S = 0.02
"""How long the live reports wait for more messages: taking one costs as much as taking many."""
_LIVES = "run.*.life"


class NatsRunLog:
    """The stream RUNS."""

    def __init__(self, client: Client, js: JetStreamContext) -> None:
        self._client = client
        self._js = js

    async def end(self) -> int:
        with translated("the log of runs does not answer"):
            info = await self._js.stream_info(RUNS.name)
        return int(info.state.last_seq)

    async def latest_lives(self) -> list[LogMessage]:
        config = ConsumerConfig(deliver_policy=DeliverPolicy.LAST_PER_SUBJECT, filter_subject=_LIVES)
        return [message async for batch in self._all_of(config) for message in batch]

    async def history(self, subject: str) -> AsyncIterator[list[LogMessage]]:
        config = ConsumerConfig(deliver_policy=DeliverPolicy.ALL, filter_subject=subject)
        async for batch in self._all_of(config):
            yield batch

    async def follow(self, *, after: int) -> AsyncIterator[list[LogMessage]]:
        while True:
            try:
                async with self._feed(_starting(after)) as (feed, _):
                    while True:
                        records = await feed.take(_BATCH, window=_LIVE_WINDOW_S)
                        after = records[-1].sequence
                        yield _messages(records)
            except BrokerError as error:
                # A lost idle connection is noticed only here; missed messages are read again.
                log.warning("reading the log from the last position again", after=after, reason=str(error))
                await asyncio.sleep(_RETRY_S * (0.5 + random.random()))  # noqa: S311 - spreading, no secret

    async def remove(self, run_id: UUID, *, until: int) -> None:
        with translated(f"run {run_id} was not removed from the log"):
            await self._js.purge_stream(RUNS.name, subject=f"run.{run_id}.>", seq=until + 1)
            # The mark that the dispatch state was deleted, which otherwise stays for ever.
            states = RUN_DISPATCH_STATES.name
            await self._js.purge_stream(f"KV_{states}", subject=f"$KV.{states}.{run_id}")

    async def reserve(self, *, after: int) -> "NatsIntake":
        # Create a new consumer, do not reuse the old one: messages that it delivered to a dead process are
        # redelivered only after ack_wait, behind newer messages. Acknowledging those ("all up to here")
        # would acknowledge the older ones unread. The position to continue from is in the read model.
        config = _starting(after)
        config.durable_name = DURABLE
        config.ack_policy = AckPolicy.ALL
        config.ack_wait = _ACK_WAIT_S
        config.max_ack_pending = _MAX_ACK_PENDING
        await self.release()
        with translated("the log of runs does not answer"):
            await self._js.add_consumer(RUNS.name, config)
        feed = PullFeed(self._client, RUNS.name, DURABLE, _PACE)
        await feed.open()
        return NatsIntake(feed)

    async def release(self) -> None:
        """Remove the durable consumer; the next reader starts again from where the read model ends."""
        try:
            with translated("the log of runs does not answer"):
                await self._js.delete_consumer(RUNS.name, DURABLE)
        except NotFound:
            log.info("the read model has no consumer yet")

    async def _all_of(self, config: ConsumerConfig) -> AsyncIterator[list[LogMessage]]:
        async with self._feed(config) as (feed, there):
            left = there
            while left > 0:
                records = await feed.take(left)
                left -= len(records)
                yield _messages(records)

    def _feed(self, config: ConsumerConfig) -> AbstractAsyncContextManager[tuple[PullFeed, int]]:
        return ephemeral_feed(self._client, self._js, RUNS.name, config, _PACE)


class NatsIntake:
    """Implements `ports.Intake`."""

    def __init__(self, feed: PullFeed) -> None:
        self._feed = feed
        self.flush = feed.flush
        self.confirm = feed.confirm
        self.close = feed.close

    async def take(self, limit: int, *, window: float) -> list[LogMessage]:
        return _messages(await self._feed.take(limit, window=window))


def _messages(records: Sequence[Record]) -> list[LogMessage]:
    return [LogMessage(each.subject, each.sequence, each.data, each.traceparent) for each in records]


class NatsDeadLetters:
    """Implements `ports.DeadLetters`."""

    def __init__(self, js: JetStreamContext) -> None:
        self._letters = DeadLetters(js, SERVICE)

    async def publish(self, message: LogMessage, reason: str) -> bool:
        origin = Origin(message.subject, RUNS.name, message.position)
        return await self._letters.publish(message.data, origin, reason)


def _starting(after: int) -> ConsumerConfig:
    return ConsumerConfig(deliver_policy=DeliverPolicy.BY_START_SEQUENCE, opt_start_seq=after + 1)
