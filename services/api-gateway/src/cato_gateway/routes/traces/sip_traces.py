"""`/sip-traces`: the SIP messages of a station or a number, recorded for a bounded time."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from cato_contracts.api.resources import Page
from cato_contracts.messages.sip_traces import (
    GetSipTrace,
    ListSipTraces,
    PutSipTrace,
    RemoveSipTrace,
    SipTrace,
    TraceFormat,
    TraceOrder,
)
from cato_gateway.http.idempotency import IdempotencyKey
from cato_gateway.http.request_context import API, Administrator, json_answer
from cato_gateway.http.streaming import Streamed, started
from cato_gateway.openapi import responses
from cato_gateway.openapi.content import binary_content, json_content, request_body, text_content
from cato_gateway.ports import SipTraces
from cato_gateway.routes.parameters import NameInAddress
from cato_gateway.routes.traces.pcap import HEADER, packet_of
from cato_gateway.routes.traces.trace_text import text_of

router = APIRouter(prefix=f"{API}/sip-traces", tags=["SIP traces"], responses=responses.COMMON)

_PIECE_BYTES = 65_536
_TEXT, _PCAP = "text/plain; charset=utf-8", "application/vnd.tcpdump.pcap"
_EXAMPLE = (
    "--- 2024-03-24T07:45:12.001234+00:00 sent to 10.0.0.1:5060 by 10.0.0.5:40123 over udp, dialer 0-1\n"
    "OPTIONS sip:10.0.0.1 SIP/2.0\r\n"
)


class SipTracePage(Page[SipTrace]):
    """All SIP traces: there is one page."""


@router.get("", response_model=SipTracePage)
async def list_sip_traces(context: Administrator) -> Response:
    """List the SIP traces, by name. For administrators."""
    found = await context.ask(ListSipTraces(actor=context.actor))
    return json_answer(found)


@router.put(
    "/{name}",
    response_model=SipTrace,
    responses=responses.errors(409, 413, 415),
    openapi_extra=request_body(json_content(TraceOrder)),
)
async def put_sip_trace(context: Administrator, name: NameInAddress, key: IdempotencyKey = None) -> Response:
    """Start a SIP trace, in place of the one with this name. For administrators.

    Dialers follow within seconds. The trace ends by itself after `forS` seconds; each dialer records at most
    10,000 messages and 20 MB. What was recorded is kept for three days.
    """
    body, digest = await context.body(TraceOrder)
    command = PutSipTrace(actor=context.actor, name=name, order=body)
    return await context.carry_out(command, lambda trace: trace, key=key, digest=digest)


@router.get("/{name}", response_model=SipTrace, responses=responses.errors(404))
async def get_sip_trace(context: Administrator, name: NameInAddress) -> Response:
    """Get a SIP trace, and how much it has recorded. For administrators."""
    trace = await context.ask(GetSipTrace(actor=context.actor, name=name))
    return json_answer(trace)


@router.get(
    "/{name}/file",
    response_class=Response,
    responses=responses.errors(404)
    | responses.attachment(text_content("text/plain", _EXAMPLE) | binary_content(_PCAP)),
)
async def get_sip_trace_file(context: Administrator, name: NameInAddress) -> Response:
    """Download what all dialers have recorded until now, in order of time. For administrators."""
    trace = await context.ask(GetSipTrace(actor=context.actor, name=name))
    pieces = await started(_pieces(context.deps.traces, trace.id, trace.format))
    pcap = trace.format is TraceFormat.PCAP
    headers = {
        "Content-Disposition": f'attachment; filename="sip-trace.{"pcap" if pcap else "txt"}"',
        "Cache-Control": "no-store",
    }
    return Streamed(pieces, _PCAP if pcap else _TEXT, headers)


@router.delete("/{name}", status_code=204, responses=responses.errors(404))
async def remove_sip_trace(context: Administrator, name: NameInAddress) -> Response:
    """End a SIP trace and remove what it has recorded. For administrators."""
    return await context.remove(RemoveSipTrace(actor=context.actor, name=name))


async def _pieces(traces: SipTraces, trace_id: UUID, form: TraceFormat) -> AsyncGenerator[bytes, None]:
    written = packet_of if form is TraceFormat.PCAP else text_of
    piece = HEADER if form is TraceFormat.PCAP else b""
    async with aclosing(traces.messages(trace_id)) as messages:
        async for message in messages:
            piece += written(message)
            if len(piece) >= _PIECE_BYTES:
                yield piece
                piece = b""
    yield piece
