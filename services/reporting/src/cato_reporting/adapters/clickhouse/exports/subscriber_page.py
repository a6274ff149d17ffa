"""A page of a run's subscribers: with a search, and with the results and calls of those on the page."""

from collections.abc import Sequence
from typing import Any

from clickhouse_connect.driver.client import Client

from cato_contracts.api.exports import SubscriberRecord
from cato_contracts.api.status import SubscriberFilter
from cato_contracts.instants import from_unix_ms
from cato_reporting.adapters.clickhouse.call_filter import named
from cato_reporting.adapters.clickhouse.detail import CONDITIONS, range_of
from cato_reporting.adapters.clickhouse.exports.subscribers import PEOPLE
from cato_reporting.subscriber_pages import SubscriberSelection

_NOS = """
SELECT subscriber_no FROM list_rows FINAL
PREWHERE run_id = {{run:UUID}} AND subscriber_no > {{after:Int64}}{condition}
WHERE {searched}
ORDER BY subscriber_no
LIMIT {{limit:UInt32}}
"""

_REASON = """subscriber_no IN
(
    SELECT subscriber_no FROM result_rows FINAL WHERE run_id = {run:UUID}
    GROUP BY subscriber_no HAVING argMax(toString(reason), (notified, wave)) = {reason:String}
)"""

_THESE = (
    "subscriber_no BETWEEN {first:UInt32} AND {last:UInt32}"
    " AND (empty({nos:Array(UInt32)}) OR subscriber_no IN {nos:Array(UInt32)})"
)

_COLUMNS = (
    "subscriber_id, full_name, phones, emails, attributes, reached, last_reason, last_wave, last_number,"
    " call_count, toUnixTimestamp64Milli(last_start), consent, household, shared_with"
)


def read_page(
    client: Client, selection: SubscriberSelection, *, after: int, limit: int
) -> Sequence[tuple[int, SubscriberRecord]]:
    """Return up to `limit` subscribers with numbers above `after`, in the order of the list."""
    if selection.which is SubscriberFilter.NONE:
        return []
    searched, values = _search(selection)
    values |= {"run": selection.run_id, "wave": selection.wave, "after": after, "limit": limit}
    sql = _NOS.format(
        condition=CONDITIONS.get(selection.which, ""), searched=" AND ".join(searched) or "true"
    )
    nos = [no for (no,) in client.query(sql, values).result_rows]
    if not nos:
        return []
    sql = PEOPLE.format(select=_COLUMNS, these=_THESE, condition="") + " ORDER BY place"
    rows = client.query(sql, range_of(selection.run_id, nos)).result_rows
    return [(no, _record(columns)) for no, *columns in rows]


def _search(selection: SubscriberSelection) -> tuple[list[str], dict[str, Any]]:
    searched: list[str] = []
    values: dict[str, Any] = {}
    if selection.name is not None:
        words, patterns = named("full_name", selection.name)
        searched += words
        values |= patterns
    if selection.numbers:
        searched.append("hasAny(phones, {numbers:Array(String)})")
        values["numbers"] = list(selection.numbers)
    if selection.reason is not None:
        searched.append(_REASON)
        values["reason"] = selection.reason
    return searched, values


def _record(columns: Sequence[Any]) -> SubscriberRecord:
    subscriber_id, full_name, phones, emails, attributes, reached, reason, wave, number, *more = columns
    calls, last, consent, household, shared_with = more
    # Not validated again: stored values were checked before the insert.
    return SubscriberRecord.model_construct(
        subscriber_id=subscriber_id,
        full_name=full_name,
        phones=list(phones),
        emails=list(emails),
        attributes=dict(attributes),
        notified=bool(reached),
        reason=reason or None,
        wave=wave or None,
        number=number or None,
        calls=calls or 0,
        last_call_at=None if last is None else from_unix_ms(last),
        consent=consent or None,
        household=household,
        shared_with=list(shared_with),
    )
