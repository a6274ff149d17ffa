"""The audit log in a stream of JetStream, from which no client can remove a message."""

from contextlib import aclosing

import structlog
from faststream.nats import NatsBroker
from nats.js import JetStreamContext

from cato_contracts.envelope import Envelope, decode
from cato_contracts.errors import UndecodableError
from cato_contracts.messages.audit import ChangeMade
from cato_contracts.subjects import AUDIT, AUDIT_CHANGES
from cato_gateway.ports import AuditPage
from cato_jetstream import JetStreamLog
from cato_runtime.audit import AuditWriter

log = structlog.get_logger()


class NatsAuditLog(AuditWriter):
    """Implements `ports.AuditLog`."""

    def __init__(self, broker: NatsBroker, js: JetStreamContext) -> None:
        super().__init__(js)
        self._broker = broker

    async def page(self, *, before: int | None, limit: int) -> AuditPage:
        read = JetStreamLog(await self._broker.connect(), AUDIT.name)
        end = await read.end([AUDIT_CHANGES])
        last = end if before is None else min(end, before - 1)
        after = max(0, last - limit)
        found: list[Envelope[ChangeMade]] = []
        if last <= after:
            return AuditPage([], None)
        async with aclosing(read.read([AUDIT_CHANGES], after=after)) as records:
            async for record in records:
                if record is None:
                    continue
                if record.sequence <= last and (change := _decoded(record.data)) is not None:
                    found.append(change)
                if record.sequence >= last:
                    break
        return AuditPage(found[::-1], after + 1 if after > 0 else None)


def _decoded(data: bytes) -> Envelope[ChangeMade] | None:
    try:
        return Envelope[ChangeMade].model_validate(decode(data).model_dump())
    except UndecodableError:
        log.exception("audit record cannot be decoded")
        return None
