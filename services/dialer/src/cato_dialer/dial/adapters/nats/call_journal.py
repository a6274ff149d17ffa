"""The journal of calls and results on the stream RUNS."""

from typing import Any, TypeVar
from uuid import UUID, uuid4

from nats.aio.client import Client

from cato_contracts.envelope import Envelope, Message, decode
from cato_contracts.messages.calls import CallEvent
from cato_contracts.messages.runs import SubscriberResult
from cato_contracts.subjects import RUNS, run_call, run_result
from cato_dialer.dial.ports.dial import FencedError, SubscriberLog
from cato_jetstream import ConditionalPublisher, Conflict, Record, StoredAcks, SubjectReader, translated

_TIMEOUT_S = 5.0

M = TypeVar("M", bound=Message)


class NatsCallJournal:
    """Writes on the condition that the subject has the last sequence that the caller has read."""

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
        with translated():
            # The events are read first, and the result from the stream's leader: a result that is missing
            # here was written after the last event that was read.
            events = await self._reader.messages(run_call(run_id, no))
            result = await self._reader.last(run_result(run_id, no))
        return SubscriberLog(
            events=tuple(_body(event, CallEvent) for event in events),
            events_head=events[-1].sequence if events else 0,
            result=_body(result, SubscriberResult) if result is not None else None,
            result_head=result.sequence if result is not None else 0,
        )

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


def _body(record: Record, kind: type[M]) -> M:
    body: Any = decode(record.data).body
    if not isinstance(body, kind):
        raise TypeError(f"expected a {kind.__name__}, found a {type(body).__name__}")
    return body
