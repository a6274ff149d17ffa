"""The query of a run's subscribers, in pages and with a search."""

from pydantic import TypeAdapter

from cato_contracts.api.exports import ListRunSubscribers, SubscriberRecord
from cato_contracts.api.resources import Page
from cato_contracts.api.status import SubscriberFilter
from cato_contracts.numbering import Numbering
from cato_contracts.paging import write_cursor
from cato_reporting.projections.live.live_projection import LiveProjection
from cato_reporting.projections.tables.list_loader import ListLoader
from cato_reporting.queries.cursors import read_number
from cato_reporting.queries.history.call_queries import ANSWER_BYTES
from cato_reporting.queries.read_barrier import ReadBarrier
from cato_reporting.queries.status.run_lookup import RunLookup
from cato_reporting.subscriber_pages import SubscriberPages, SubscriberSelection
from cato_runtime.requests import RequestContext

_RECORD = TypeAdapter(SubscriberRecord)


class RunSubscriberQueries:
    """Lists subscribers as of the moment of the request; refuses when that is not possible."""

    def __init__(  # noqa: PLR0917 - wired in one place
        self,
        live: LiveProjection,
        barrier: ReadBarrier,
        pages: SubscriberPages,
        runs: RunLookup,
        lists: ListLoader,
        numbering: Numbering,
    ) -> None:
        self._live = live
        self._barrier = barrier
        self._pages = pages
        self._runs = runs
        self._lists = lists
        self._numbering = numbering

    async def list_run_subscribers(
        self, query: ListRunSubscribers, _context: RequestContext
    ) -> Page[SubscriberRecord]:
        after = read_number(query.cursor)
        numbers = () if query.number is None else tuple(self._numbering.forms(query.number))
        async with self._barrier.consistent():
            snapshot, wave = await self._runs.snapshot(
                query.run_id, query.actor, needs_wave=query.filter is SubscriberFilter.FAILED
            )
            await self._barrier.stored(self._live.runs.last_position(query.run_id))
            await self._lists.ensure(snapshot)
            selection = SubscriberSelection(
                query.run_id, query.filter, wave, name=query.name, numbers=numbers, reason=query.reason
            )
            # Read one more than requested, to know whether more follow.
            found = await self._pages.subscriber_page(selection, after=after, limit=query.limit + 1)
        shown: list[SubscriberRecord] = []
        size = last = 0
        for no, record in found:
            size += len(_RECORD.dump_json(record)) + 1
            if shown and (len(shown) == query.limit or size > ANSWER_BYTES):
                return Page[SubscriberRecord].model_construct(items=shown, next_cursor=write_cursor(last))
            shown.append(record)
            last = no
        return Page[SubscriberRecord].model_construct(items=shown, next_cursor=None)
