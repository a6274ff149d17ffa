"""The SIP traces in their key-value bucket, and what dialers have recorded for them in their stream."""

from uuid import UUID

from nats.js import JetStreamContext

from cato_contracts.ids import derived_id
from cato_contracts.messages.sip_traces import StoredTrace, TraceBatch
from cato_contracts.subjects import SIP_TRACES, TRACE_ORDERS, sip_trace
from cato_dialer.campaign.adapters.rules.documents import Documents
from cato_dialer.campaign.trace_ports import Recorded
from cato_jetstream import NotFound, translated


class NatsSipTraces(Documents[str, StoredTrace]):
    """Implements `ports.SipTraces`."""

    def __init__(self, js: JetStreamContext) -> None:
        super().__init__(js, TRACE_ORDERS.name, StoredTrace, _key)
        self._js = js

    async def put(self, trace: StoredTrace) -> None:
        kept_s = trace.for_s + (int(SIP_TRACES.max_age.total_seconds()) if SIP_TRACES.max_age else 0)
        await self.store(trace.name, trace, ttl_s=kept_s)

    async def clear(self, trace_id: UUID) -> None:
        with translated():
            await self._js.purge_stream(SIP_TRACES.name, subject=sip_trace(trace_id))

    async def recorded(self, trace_id: UUID) -> Recorded:
        with translated():
            info = await self._js.stream_info(SIP_TRACES.name, subjects_filter=sip_trace(trace_id))
        messages, cut = 0, False
        for subject in info.state.subjects or {}:
            try:
                with translated():
                    last = await self._js.get_last_msg(SIP_TRACES.name, subject)
            except NotFound:
                continue  # removed meanwhile
            batch = TraceBatch.model_validate_json(last.data or b"")
            messages += batch.recorded
            cut = cut or batch.cut
        return Recorded(messages, cut)


def _key(name: str) -> str:
    return str(derived_id("sip-trace-name", name))
