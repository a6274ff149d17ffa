"""The queries of calls: pages of the history, and one call with its events."""

import asyncio
import json
from dataclasses import replace

from pydantic import TypeAdapter

from cato_contracts.api.history import (
    CallDetail,
    CallFilter,
    CallPage,
    CallRecord,
    FoundSubscriber,
    GetCall,
    ListCalls,
)
from cato_contracts.api.status import CallEventView
from cato_contracts.errors import NotFoundError, TooLargeError, UnavailableError
from cato_contracts.instants import unix_ms
from cato_contracts.numbering import Numbering
from cato_contracts.requests import Actor
from cato_reporting.ports import CallHistory, CallPosition, CallSelection, StoredEvent
from cato_reporting.projections.tables.list_loader import ListLoader
from cato_reporting.queries.cursors import read_position, write_position
from cato_reporting.queries.read_barrier import ReadBarrier
from cato_runtime.requests import RequestContext

ANSWER_BYTES = 700_000
"""The maximum size of an answer: a message of the broker has at most 1 MB."""

_MOST_SUBSCRIBERS = 100

_RECORD = TypeAdapter(CallRecord)
_EVENTS = TypeAdapter(list[CallEventView])


class CallQueries:
    """Answers about calls as of the moment of the request; refuses when that is not possible."""

    def __init__(
        self, barrier: ReadBarrier, history: CallHistory, lists: ListLoader, numbering: Numbering
    ) -> None:
        self._barrier = barrier
        self._history = history
        self._lists = lists
        self._numbering = numbering

    async def list_calls(self, query: ListCalls, _context: RequestContext) -> CallPage:
        before = read_position(query.cursor)
        wanted = selection(query.actor, query.where, self._numbering)
        searched = query.where.number is not None or query.where.name is not None
        async with self._barrier.consistent():
            await self._barrier.all_stored()
            in_lists = query.subscribers and searched and before is None
            if in_lists or query.where.name is not None:
                wanted = replace(wanted, listed=await self._listed(needed=in_lists))
            # At the same time: a search by name reads all lists for either.
            found, subscribers = await asyncio.gather(
                self._history.calls(wanted, before=before, limit=query.limit),
                self._subscribers(wanted, asked=in_lists),
            )
        size = _size_of(subscribers)
        for count, record in enumerate(found.calls):
            size += len(_RECORD.dump_json(record)) + 1
            if size > ANSWER_BYTES and count:
                last = found.calls[count - 1]
                rest = (unix_ms(last.started_at), last.id)
                return _page(found.calls[:count], rest, subscribers)
        return _page(found.calls, found.rest, subscribers)

    async def _subscribers(self, wanted: CallSelection, *, asked: bool) -> list[FoundSubscriber] | None:
        return await self._history.subscribers(wanted, limit=_MOST_SUBSCRIBERS) if asked else None

    async def _listed(self, *, needed: bool) -> bool:
        """Return whether the lists of all runs are stored. Raises UnavailableError if they are `needed`."""
        try:
            return await self._lists.ensure_all()
        except UnavailableError:
            if needed:
                raise
            return False

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


def selection(actor: Actor, where: CallFilter, numbering: Numbering) -> CallSelection:
    """Return the condition on calls, limited to those that the actor may see."""
    numbers = () if where.number is None else tuple(numbering.forms(where.number))
    return CallSelection(where, None if actor.admin else actor.user_id, numbers)


def _page(
    calls: list[CallRecord], rest: CallPosition | None, subscribers: list[FoundSubscriber] | None
) -> CallPage:
    return CallPage.model_construct(items=calls, next_cursor=write_position(rest), subscribers=subscribers)


def _size_of(subscribers: list[FoundSubscriber] | None) -> int:
    """Drop the subscribers that would take more than a third of the answer; return the size of the rest."""
    size = 0
    for count, subscriber in enumerate(subscribers or ()):
        own = len(subscriber.model_dump_json()) + 1
        if size + own > ANSWER_BYTES // 3:
            del (subscribers or [])[count:]
            break
        size += own
    return size


def _event_view(event: StoredEvent) -> CallEventView:
    # Not validated again: the event was checked when it was stored.
    return CallEventView.model_construct(
        time=event.time, name=event.name, status=event.status, data=json.loads(event.data)
    )
