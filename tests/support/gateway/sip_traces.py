"""SIP traces in memory, for tests."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from uuid import UUID, uuid4

from cato_contracts.api.resources import Page
from cato_contracts.errors import ForbiddenError, NotFoundError
from cato_contracts.messages import sip_traces
from cato_contracts.requests import Actor
from cato_gateway.ports import RecordedMessage
from cato_runtime.requests import RequestContext, RequestTable


class MemoryTraces:
    """Answers the requests about SIP traces."""

    def __init__(self, table: RequestTable) -> None:
        self.traces: dict[str, sip_traces.SipTrace] = {}
        table.add(sip_traces.PutSipTrace, self._put)
        table.add(sip_traces.RemoveSipTrace, self._remove)
        table.add(sip_traces.GetSipTrace, self._get)
        table.add(sip_traces.ListSipTraces, self._list)

    async def _put(self, command: sip_traces.PutSipTrace, context: RequestContext) -> sip_traces.SipTrace:
        _check_admin(command.actor)
        trace = sip_traces.SipTrace(
            **dict(command.order),
            id=uuid4(),
            name=command.name,
            began_at=context.now,
            ends_at=context.now + timedelta(seconds=command.order.for_s),
            state=sip_traces.TraceState.RUNNING,
            messages=0,
            cut=False,
        )
        self.traces[command.name] = trace
        return trace

    async def _remove(self, command: sip_traces.RemoveSipTrace, _: RequestContext) -> None:
        _check_admin(command.actor)
        del self.traces[self._known(command.name).name]

    async def _get(self, query: sip_traces.GetSipTrace, _: RequestContext) -> sip_traces.SipTrace:
        _check_admin(query.actor)
        return self._known(query.name)

    async def _list(self, query: sip_traces.ListSipTraces, _: RequestContext) -> Page[sip_traces.SipTrace]:
        _check_admin(query.actor)
        return Page[sip_traces.SipTrace](items=[self.traces[name] for name in sorted(self.traces)])

    def _known(self, name: str) -> sip_traces.SipTrace:
        if name not in self.traces:
            raise NotFoundError(f"there is no SIP trace {name!r}", resource_id=name)
        return self.traces[name]


class MemoryRecords:
    """What dialers have recorded, by trace; implements `ports.SipTraces`."""

    def __init__(self) -> None:
        self.recorded: dict[UUID, list[RecordedMessage]] = {}

    async def messages(self, trace_id: UUID) -> AsyncGenerator[RecordedMessage, None]:
        for each in sorted(self.recorded.get(trace_id, []), key=lambda one: one.message.at_us):
            yield each


def _check_admin(actor: Actor) -> None:
    if not actor.admin:
        raise ForbiddenError("the permission admin is needed")
