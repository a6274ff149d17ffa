"""What dialers have recorded for SIP traces, read from its stream in order of time."""

import heapq
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing
from uuid import UUID

import structlog
from faststream.nats import NatsBroker
from nats.js import JetStreamContext
from pydantic import ValidationError

from cato_contracts.messages.sip_traces import TraceBatch
from cato_contracts.subjects import SIP_TRACES, sip_trace
from cato_gateway.ports import RecordedMessage
from cato_jetstream import JetStreamLog, translated

log = structlog.get_logger()


class NatsSipTraces:
    """Implements `ports.SipTraces`. Of each dialer one batch at a time is held."""

    def __init__(self, broker: NatsBroker, js: JetStreamContext) -> None:
        self._broker = broker
        self._js = js

    async def messages(self, trace_id: UUID) -> AsyncGenerator[RecordedMessage, None]:
        with translated():
            info = await self._js.stream_info(SIP_TRACES.name, subjects_filter=sip_trace(trace_id))
        read = JetStreamLog(await self._broker.connect(), SIP_TRACES.name)
        async with AsyncExitStack() as stack:
            heads: list[tuple[int, int, RecordedMessage, AsyncGenerator[RecordedMessage, None]]] = []
            for index, subject in enumerate(sorted(info.state.subjects or {})):
                source = await stack.enter_async_context(aclosing(_of_dialer(read, subject)))
                if (first := await anext(source, None)) is not None:
                    heapq.heappush(heads, (first.message.at_us, index, first, source))
            while heads:
                _, index, recorded, source = heads[0]
                yield recorded
                following = await anext(source, None)
                if following is None:
                    heapq.heappop(heads)
                else:
                    heapq.heapreplace(heads, (following.message.at_us, index, following, source))


async def _of_dialer(read: JetStreamLog, subject: str) -> AsyncGenerator[RecordedMessage, None]:
    """Yield what one dialer has recorded until now."""
    last = await read.end([subject])
    if last == 0:
        return
    async with aclosing(read.read([subject], after=0)) as records:
        async for record in records:
            if record is None:
                if await read.end([subject]) < last:
                    return  # removed meanwhile
                continue
            if (batch := _decoded(record.data)) is not None:
                for message in batch.messages:
                    yield RecordedMessage(batch.dialer, message)
            if record.sequence >= last:
                return


def _decoded(data: bytes) -> TraceBatch | None:
    try:
        return TraceBatch.model_validate_json(data)
    except ValidationError:
        log.exception("batch of a SIP trace cannot be decoded")
        return None
