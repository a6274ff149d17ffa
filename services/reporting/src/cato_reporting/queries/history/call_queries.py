"""The queries of the history of calls."""

from pydantic import TypeAdapter

from cato_contracts.errors import InvalidError, NotFoundError, TooLargeError
from cato_contracts.history import (
    CallDetail,
    CallFilter,
    CallRecord,
    CallStatistics,
    GetCall,
    GetStatistics,
    ListCalls,
    Statistics,
)
from cato_contracts.requests import Actor
from cato_contracts.resources import Page
from cato_contracts.status import CallEventView
from cato_reporting.domain.instants import unix_ms
from cato_reporting.errors import UnknownTimeZoneError
from cato_reporting.ports import CallHistory, CallPlace, CallSelection
from cato_reporting.queries.cursors import read_position, write_position
from cato_reporting.queries.read_barrier import Freshness
from cato_reporting.queries.status.documents import event_view
from cato_runtime.requests import RequestContext, RequestTable

_ANSWER_BYTES = 700_000
"""How large an answer may be: a message of the broker is at most 1 MB."""

_MOST_GROUPS = 10_000

_RECORD = TypeAdapter(CallRecord)
_EVENTS = TypeAdapter(list[CallEventView])
_GROUPS = TypeAdapter(list[CallStatistics])


class HistoryQueries:
    """Answers about calls, each as of the moment when it was asked for, or not at all."""

    def __init__(self, fresh: Freshness, history: CallHistory, *, time_zone: str) -> None:
        self._fresh = fresh
        self._history = history
        self._time_zone = time_zone

    def table(self) -> RequestTable:
        table = RequestTable()
        table.add(ListCalls, self.list_calls)
        table.add(GetCall, self.get_call)
        table.add(GetStatistics, self.get_statistics)
        return table

    async def list_calls(self, query: ListCalls, _context: RequestContext) -> Page[CallRecord]:
        before = read_position(query.cursor)
        async with self._fresh.steady_tables():
            await self._fresh.all_stored()
            found = await self._history.calls(
                selection(query.actor, query.where), before=before, limit=query.limit
            )
        size = 0
        for count, record in enumerate(found.calls):
            size += len(_RECORD.dump_json(record)) + 1
            if size > _ANSWER_BYTES and count:
                last = found.calls[count - 1]
                rest = (unix_ms(last.started_at), last.id)
                return _page(found.calls[:count], rest)
        return _page(found.calls, found.rest)

    async def get_call(self, query: GetCall, _context: RequestContext) -> CallDetail:
        async with self._fresh.steady_tables():
            await self._fresh.all_stored()
            call = await self._history.call(query.id)
        if call is None or not query.actor.may_see(call.user_id):
            raise NotFoundError(f"there is no call {query.id}", resource_id=str(query.id))
        events = [event_view(event) for event in call.events]
        if len(_EVENTS.dump_json(events)) > _ANSWER_BYTES:
            raise TooLargeError(
                "the call has more events than one answer can carry", resource_id=str(query.id)
            )
        return CallDetail.model_construct(**dict(call.record), events=events)

    async def get_statistics(self, query: GetStatistics, _context: RequestContext) -> Statistics:
        zone = query.time_zone if query.time_zone is not None else self._time_zone
        async with self._fresh.steady_tables():
            await self._fresh.all_stored()
            try:
                figures = await self._history.statistics(
                    selection(query.actor, query.where),
                    query.group_by,
                    time_zone=zone,
                    limit=_MOST_GROUPS + 1,
                )
            except UnknownTimeZoneError as error:
                raise InvalidError(f"timeZone: there is no time zone {zone!r}") from error
        if len(figures.groups) > _MOST_GROUPS or len(_GROUPS.dump_json(figures.groups)) > _ANSWER_BYTES:
            raise TooLargeError(
                f"by {query.group_by.value} these are more groups than one answer can carry:"
                " ask for a shorter period, or for coarser groups"
            )
        return Statistics(group_by=query.group_by, groups=figures.groups, total=figures.total)


def selection(actor: Actor, where: CallFilter) -> CallSelection:
    """Return which calls are meant: of all that the actor may see."""
    return CallSelection(where, None if actor.admin else actor.user_id)


def _page(calls: list[CallRecord], rest: CallPlace | None) -> Page[CallRecord]:
    return Page[CallRecord].model_construct(items=calls, next_cursor=write_position(rest))
