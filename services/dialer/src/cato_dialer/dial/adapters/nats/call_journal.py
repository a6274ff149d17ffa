"""The journal of calls and results on the stream RUNS."""

import asyncio
from typing import Any, TypeVar
from uuid import UUID, uuid4

from nats.aio.client import Client

from cato_contracts.envelope import Message, decode
from cato_contracts.messages.calls import CallEvent
from cato_contracts.messages.runs import SubscriberResult
from cato_contracts.subjects import RUNS, run_call, run_fence, run_opt_out, run_result, run_subscriber
from cato_dialer.dial.ports.dial import FencedError, JournalEntry, SubscriberLog
from cato_jetstream import (
    ConditionalPublisher,
    Conflict,
    Record,
    StoredAcks,
    SubjectReader,
    Unavailable,
    backoff_s,
    translated,
)
from cato_runtime import tracing

_TIMEOUT_S = 5.0
_READS = 10

M = TypeVar("M", bound=Message)


class NatsCallJournal:
    """Writes on the condition that a subscriber's last message is the one that the caller has read."""

    def __init__(self, client: Client, *, timeout_s: float = _TIMEOUT_S) -> None:
        self._reader = SubjectReader(client, RUNS.name, timeout_s=timeout_s)
        self._publisher = ConditionalPublisher(
            client.jetstream(timeout=timeout_s),
            RUNS.name,
            timeout_s=timeout_s,
            acks=StoredAcks(client, timeout_s=timeout_s),
        )
        self._writer = str(uuid4())

    async def read(self, run_id: UUID, no: int) -> SubscriberLog:
        subjects = run_subscriber(run_id, no)
        for attempt in range(_READS):
            with translated():
                # The leader tells what there must be: a replica that lags behind may answer the second time.
                last = await self._reader.last(subjects)
                records = await self._reader.messages(subjects) if last is not None else []
            head = records[-1].sequence if records else 0
            if last is None or head >= last.sequence:
                events, results = (
                    [each for each in records if each.subject in wanted]
                    for wanted in (
                        {run_call(run_id, no), run_opt_out(run_id, no)},
                        {run_result(run_id, no)},
                    )
                )
                return SubscriberLog(
                    events=tuple(_body(event, CallEvent) for event in events),
                    result=_body(results[-1], SubscriberResult) if results else None,
                    head=head,
                )
            await asyncio.sleep(backoff_s(attempt))
        raise Unavailable(f"{subjects}: the replicas of the broker lag behind")

    async def append(self, entry: JournalEntry, after: int) -> int:
        body = entry.body
        subject = body.log_subject if isinstance(body, CallEvent) else run_result(body.run_id, body.no)
        return await self._append(subject, body.run_id, body.no, entry.encode(), after)

    async def fence(self, run_id: UUID, no: int, after: int) -> int:
        return await self._append(run_fence(run_id, no), run_id, no, b"", after)

    async def _append(self, subject: str, run_id: UUID, no: int, data: bytes, after: int) -> int:
        # Without a message id: two replicas may give different events the same id, and the expected sequence
        # fences the second one. A repeated write is recognised by its writer and its data.
        try:
            written = await self._publisher.publish(
                subject,
                data,
                expected=after,
                within=run_subscriber(run_id, no),
                token=self._writer,
                headers=tracing.headers(),
            )
        except Conflict as error:
            raise FencedError(f"{subject} has another writer: {error}") from error
        return written.sequence


def _body(record: Record, kind: type[M]) -> M:
    body: Any = decode(record.data).body
    if not isinstance(body, kind):
        raise TypeError(f"expected a {kind.__name__}, found a {type(body).__name__}")
    return body
