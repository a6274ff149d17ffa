"""Commands and queries on SIP traces. What they record concerns all users, so they are for administrators."""

from datetime import timedelta

from cato_contracts.api.resources import Page
from cato_contracts.errors import ForbiddenError, InvalidError, NotFoundError
from cato_contracts.ids import derived_id
from cato_contracts.messages.sip_traces import (
    MAX_TRACES,
    GetSipTrace,
    ListSipTraces,
    PutSipTrace,
    RemoveSipTrace,
    SipTrace,
    StoredTrace,
    TraceState,
)
from cato_contracts.requests import Actor
from cato_dialer.campaign.handlers.deps import Deps
from cato_runtime.requests import RequestContext


async def put_sip_trace(deps: Deps, command: PutSipTrace, context: RequestContext) -> SipTrace:
    """Start a trace, in place of the one with its name; what that one has recorded is removed.

    A repeated command is the same trace.

    Raises:
        ForbiddenError: if the actor is no administrator.
        InvalidError: if the station is not known, or there are too many traces.

    """
    _check_admin(command.actor)
    order = command.order
    if order.station_id is not None and all(order.station_id != one.id for one in deps.config.stations):
        raise InvalidError(f"there is no station {order.station_id}")
    known = {trace.name: trace for trace in await deps.traces.all()}
    previous = known.pop(command.name, None)
    if len(known) >= MAX_TRACES:
        raise InvalidError(f"there are at most {MAX_TRACES} SIP traces: remove one that has ended")
    trace_id = derived_id("sip-trace", context.command_id)
    if previous is not None and previous.id == trace_id:
        return await _shown(deps, previous)
    began = deps.clock.now()
    ends = began + timedelta(seconds=order.for_s)
    trace = StoredTrace(**dict(order), id=trace_id, name=command.name, began_at=began, ends_at=ends)
    await deps.traces.put(trace)
    if previous is not None:
        await deps.traces.clear(previous.id)
    return await _shown(deps, trace)


async def remove_sip_trace(deps: Deps, command: RemoveSipTrace, _context: RequestContext) -> None:
    """End a trace and remove what it has recorded.

    Raises ForbiddenError, and NotFoundError if there is none with this name.
    """
    _check_admin(command.actor)
    trace = await _known(deps, command.name)
    await deps.traces.remove(trace.name)
    await deps.traces.clear(trace.id)


async def get_sip_trace(deps: Deps, query: GetSipTrace, _context: RequestContext) -> SipTrace:
    """Return a trace. Raises ForbiddenError, and NotFoundError if there is none with this name."""
    _check_admin(query.actor)
    return await _shown(deps, await _known(deps, query.name))


async def list_sip_traces(deps: Deps, query: ListSipTraces, _context: RequestContext) -> Page[SipTrace]:
    """Return all traces. Raises ForbiddenError."""
    _check_admin(query.actor)
    traces = sorted(await deps.traces.all(), key=lambda trace: trace.name)
    return Page[SipTrace](items=[await _shown(deps, trace) for trace in traces])


async def _known(deps: Deps, name: str) -> StoredTrace:
    trace = await deps.traces.get(name)
    if trace is None:
        raise NotFoundError(f"there is no SIP trace {name!r}", resource_id=name)
    return trace


async def _shown(deps: Deps, trace: StoredTrace) -> SipTrace:
    stored = await deps.traces.recorded(trace.id)
    running = deps.clock.now() < trace.ends_at
    return SipTrace(
        **dict(trace),
        state=TraceState.RUNNING if running else TraceState.ENDED,
        messages=stored.messages,
        cut=stored.cut,
    )


def _check_admin(actor: Actor) -> None:
    if not actor.admin:
        raise ForbiddenError("the permission admin is needed: SIP traces concern all users")
