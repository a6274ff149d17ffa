"""The query of statistics."""

from pydantic import TypeAdapter

from cato_contracts.api.history import CallStatistics, GetStatistics, Statistics
from cato_contracts.errors import InvalidError, TooLargeError
from cato_contracts.numbering import Numbering
from cato_reporting.errors import UnknownTimeZoneError
from cato_reporting.ports import CallHistory
from cato_reporting.queries.history.call_queries import ANSWER_BYTES, selection
from cato_reporting.queries.read_barrier import ReadBarrier
from cato_runtime.requests import RequestContext

_MOST_GROUPS = 10_000
_GROUPS = TypeAdapter(list[CallStatistics])


class StatisticsQueries:
    """Counts calls as of the moment of the request; refuses when that is not possible."""

    def __init__(
        self, barrier: ReadBarrier, history: CallHistory, numbering: Numbering, *, time_zone: str
    ) -> None:
        self._barrier = barrier
        self._history = history
        self._numbering = numbering
        self._time_zone = time_zone

    async def get_statistics(self, query: GetStatistics, _context: RequestContext) -> Statistics:
        """Return the statistics of the calls that meet the query's filter, in groups and in total."""
        zone = query.time_zone if query.time_zone is not None else self._time_zone
        async with self._barrier.consistent():
            await self._barrier.all_stored()
            try:
                found = await self._history.statistics(
                    selection(query.actor, query.where, self._numbering),
                    query.group_by,
                    time_zone=zone,
                    limit=_MOST_GROUPS + 1,
                )
            except UnknownTimeZoneError as error:
                raise InvalidError(f"timeZone should be an IANA time zone name, not {zone!r}") from error
        if len(found.groups) > _MOST_GROUPS or len(_GROUPS.dump_json(found.groups)) > ANSWER_BYTES:
            raise TooLargeError(
                f"there are more groups by {query.group_by.value} than one answer can carry;"
                " ask for a shorter period or for coarser groups"
            )
        return Statistics(group_by=query.group_by, groups=found.groups, total=found.total)
