"""The queries of calls: pages of the history, and one call with its events."""

import json

from pydantic import TypeAdapter

from cato_contracts.api.history import (
    CallDetail,
    CallFilter,
    CallRecord,
    GetCall,
    ListCalls,
)
from cato_contracts.api.resources import Page
from cato_contracts.api.status import CallEventView
from cato_contracts.errors import NotFoundError, TooLargeError
from cato_contracts.instants import unix_ms
from cato_contracts.requests import Actor
from cato_reporting.ports import CallHistory, CallPosition, CallSelection, StoredEvent
from cato_reporting.queries.cursors import read_position, write_position
from cato_reporting.queries.read_barrier import ReadBarrier
from cato_runtime.requests import RequestContext

ANSWER_BYTES = 700_000
"""The maximum size of an answer: a message of the broker has at most 1 MB."""

_RECORD = TypeAdapter(CallRecord)
_EVENTS = TypeAdapter(list[CallEventView])


class CallQueries:
    """Answers about calls as of the moment of the request; refuses when that is not possible."""

    def __init__(self, barrier: ReadBarrier, history: CallHistory) -> None:
        self._barrier = barrier
        self._history = history

    async def list_calls(self, query: ListCalls, _context: RequestContext) -> Page[CallRecord]:
        before = read_position(query.cursor)
        async with self._barrier.consistent():
            await self._barrier.all_stored()
            found = await self._history.calls(
                selection(query.actor, query.where), before=before, limit=query.limit
            )
        size = 0
        for count, record in enumerate(found.calls):
            size += len(_RECORD.dump_json(record)) + 1
            if size > ANSWER_BYTES and count:
                last = found.calls[count - 1]
                rest = (unix_ms(last.started_at), last.id)
                return _page(found.calls[:count], rest)
        return _page(found.calls, found.rest)

    async def get_call(self, query: GetCall, _context: RequestContext) -> CallDetail:
        async with self._barrier.consistent():
            await self._barrier.all_stored()
            call = await self._history.call(query.id)
        if call is None or not query.actor.may_see(call.user_id):
            raise NotFoundError(f"there is no call {query.id}", resource_id=str(query.id))
        events = [_event_view(event) for event in call.events]
        if len(_EVENTS.dump_json(events)) > ANSWER_BYTES:
            raise TooLargeError(
                "the call has more events than one answer can carry", resource_id=str(query.id)
            )
        return CallDetail.model_construct(**dict(call.record), events=events)


def selection(actor: Actor, where: CallFilter) -> CallSelection:
    """Return the condition on calls, limited to those that the actor may see."""
    return CallSelection(where, None if actor.admin else actor.user_id)


def _page(calls: list[CallRecord], rest: CallPosition | None) -> Page[CallRecord]:
    return Page[CallRecord].model_construct(items=calls, next_cursor=write_position(rest))


def _event_view(event: StoredEvent) -> CallEventView:
    # Not validated again: the event was checked when it was stored.
    return CallEventView.model_construct(
        time=event.time, name=event.name, status=event.status, data=json.loads(event.data)
    )
