"""The journal of calls and results on the stream RUNS."""

import asyncio
import json
from typing import Any, TypeVar
from uuid import UUID, uuid4

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import Header

from cato_contracts.envelope import Envelope, Message, decode
from cato_contracts.errors import BrokerError
from cato_contracts.messages.calls import CallEvent
from cato_contracts.messages.runs import SubscriberResult
from cato_contracts.subjects import RUNS, run_call, run_result
from cato_dialer.dial.ports.dial import FencedError, SubscriberLog
from cato_jetstream import ConditionalPublisher, Conflict, translated

_TIMEOUT_S = 5.0
_BATCH = 512
_END_OF_BATCH, _NOT_FOUND = "204", "404"

M = TypeVar("M", bound=Message)


class NatsCallJournal:
    """Writes on the condition that the subject has the last sequence that the caller has read."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._js: JetStreamContext = client.jetstream(timeout=_TIMEOUT_S)
        self._publisher = ConditionalPublisher(self._js, RUNS.name, timeout_s=_TIMEOUT_S)
        self._writer = str(uuid4())

    async def read(self, run_id: UUID, no: int) -> SubscriberLog:
        with translated():
            async with asyncio.timeout(_TIMEOUT_S):
                # The events are read first, and the result from the stream's leader: a result that is missing
                # here was written after the last event that was read.
                events, events_head = await self._events(run_call(run_id, no))
                result, result_head = await self._result(run_result(run_id, no))
        return SubscriberLog(events, events_head, result, result_head)

    async def append_event(self, event: Envelope[CallEvent], after: int) -> int:
        return await self._append(run_call(event.body.run_id, event.body.no), event, after)

    async def append_result(self, result: Envelope[SubscriberResult], after: int) -> int:
        return await self._append(run_result(result.body.run_id, result.body.no), result, after)

    async def _append(self, subject: str, envelope: Envelope[M], after: int) -> int:
        # Without a message id: two replicas may give different events the same id, and the expected sequence
        # fences the second one. A repeated write is recognised by its writer and its data.
        try:
            written = await self._publisher.publish(
                subject, envelope.encode(), expected=after, token=self._writer
            )
        except Conflict as error:
            raise FencedError(f"{subject} has another writer: {error}") from error
        return written.sequence

    async def _result(self, subject: str) -> tuple[SubscriberResult | None, int]:
        message = await self._publisher.head(subject)
        if message is None:
            return None, 0
        return _body(message.data or b"", SubscriberResult), message.seq or 0

    async def _events(self, subject: str) -> tuple[tuple[CallEvent, ...], int]:
        events: list[CallEvent] = []
        head, pending = 0, 1
        while pending:
            messages, pending = await self._batch(subject, head + 1)
            if not messages:
                break
            events.extend(_body(message.data, CallEvent) for message in messages)
            head = int((messages[-1].headers or {})["Nats-Sequence"])
        return tuple(events), head

    async def _batch(self, subject: str, start: int) -> tuple[list[Msg], int]:
        """Return messages of one subject from sequence `start` on, and how many remain (ADR-31)."""
        inbox = self._client.new_inbox()
        subscription = await self._client.subscribe(inbox)
        request = {"seq": start, "next_by_subj": subject, "batch": _BATCH}
        messages: list[Msg] = []
        try:
            await self._client.publish(
                f"$JS.API.DIRECT.GET.{RUNS.name}", json.dumps(request).encode(), reply=inbox
            )
            while True:
                message = await subscription.next_msg(timeout=_TIMEOUT_S)
                headers = message.headers or {}
                status = headers.get(Header.STATUS)
                if status == _END_OF_BATCH:
                    return messages, int(headers.get("Nats-Num-Pending", 0))
                if status == _NOT_FOUND:
                    return messages, 0
                if status is not None:
                    raise BrokerError(f"{subject}: {status} {headers.get(Header.DESCRIPTION)}")
                messages.append(message)
        finally:
            await subscription.unsubscribe()


def _body(data: bytes, kind: type[M]) -> M:
    body: Any = decode(data).body
    if not isinstance(body, kind):
        raise TypeError(f"expected a {kind.__name__}, found a {type(body).__name__}")
    return body
