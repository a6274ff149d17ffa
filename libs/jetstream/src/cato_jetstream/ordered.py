"""Reading a stream in order: an ephemeral consumer that is thrown away as soon as anything is odd.

The client's ordered consumer notices a server's restart after ten seconds of silence, this one after three.
It pulls, so that a slow reader holds the server back and no message is dropped.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from uuid import uuid4

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext, api

from cato_jetstream.errors import Unavailable
from cato_jetstream.eventlog.log import Record
from cato_jetstream.translation import translated

_BATCH = 256
_BATCH_BYTES = 4 * 1024 * 1024
_EXPIRES_S = 30
_HEARTBEAT_S = 1
_SILENCE_S = 3
_FORGET_S = 30
_NS = 1_000_000_000
_PULL = json.dumps(
    {
        "batch": _BATCH,
        "max_bytes": _BATCH_BYTES,
        "expires": _EXPIRES_S * _NS,
        "idle_heartbeat": _HEARTBEAT_S * _NS,
    }
).encode()

_STATUS_HEARTBEAT = "100"
_STATUS_EXPIRED = ("404", "408")
_STATUS_CONFLICT = "409"
_ENDS_A_PULL = ("Batch Completed", "Message Size Exceeds MaxBytes")


async def read_in_order(
    client: Client,
    js: JetStreamContext,
    stream: str,
    subjects: Sequence[str],
    *,
    after: int,
    timeout_s: float,
) -> AsyncGenerator[Record | None, None]:
    """As `Log.read`. Raises Unavailable at the first gap, silence or complaint of the server."""
    inbox = client.new_inbox()
    arrived: asyncio.Queue[Msg] = asyncio.Queue()
    consumer = uuid4().hex
    pull = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}"
    with translated():
        subscription = await client.subscribe(inbox, cb=arrived.put)
    try:
        with translated():
            await js.add_consumer(stream, _config(consumer, subjects, after), timeout=timeout_s)
        expected = 1
        while True:
            with translated():
                await client.publish(pull, _PULL, reply=inbox)
            asked = expected
            while expected < asked + _BATCH:
                message = await _next(arrived)
                status = (message.headers or {}).get(api.Header.STATUS)
                if status is None:
                    yield _in_order(message, expected)
                    expected += 1
                elif status == _STATUS_HEARTBEAT:
                    yield None
                elif _is_end_of_pull(message, status):
                    break
                else:
                    raise Unavailable(f"reading stream {stream} ended: {_description(message)}")
    finally:
        # A lost connection has no subscription to end; the server forgets the consumer by itself.
        with suppress(nats.errors.Error):
            await subscription.unsubscribe()


def _config(consumer: str, subjects: Sequence[str], after: int) -> api.ConsumerConfig:
    return api.ConsumerConfig(
        name=consumer,
        filter_subjects=list(subjects),
        deliver_policy=api.DeliverPolicy.BY_START_SEQUENCE,
        opt_start_seq=after + 1,
        ack_policy=api.AckPolicy.NONE,
        max_deliver=1,
        inactive_threshold=_FORGET_S,
        mem_storage=True,
        num_replicas=1,
    )


async def _next(arrived: asyncio.Queue[Msg]) -> Msg:
    if not arrived.empty():
        return arrived.get_nowait()
    try:
        async with asyncio.timeout(_SILENCE_S):
            return await arrived.get()
    except TimeoutError as error:
        raise Unavailable(f"no heartbeat for {_SILENCE_S} s") from error


def _in_order(message: Msg, expected: int) -> Record:
    with translated():
        sequence = message.metadata.sequence
    if sequence.consumer != expected:
        raise Unavailable(f"message {sequence.consumer} came where {expected} was due")
    return Record(message.subject, sequence.stream, message.data)


def _is_end_of_pull(message: Msg, status: str) -> bool:
    if status in _STATUS_EXPIRED:
        return True
    return status == _STATUS_CONFLICT and _description(message).startswith(_ENDS_A_PULL)


def _description(message: Msg) -> str:
    headers = message.headers or {}
    return headers.get(api.Header.DESCRIPTION) or headers.get(api.Header.STATUS, "")
