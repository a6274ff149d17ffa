"""The export of a run's subscribers in the order of the list: who was reached, who was not, and why."""

from typing import Any
from uuid import UUID

from clickhouse_connect.driver.client import Client

from cato_contracts.api.exports import SubscriberRecord
from cato_contracts.api.status import SubscriberFilter
from cato_reporting.adapters.clickhouse.detail import CONDITIONS
from cato_reporting.adapters.clickhouse.exports.columns import ArrowType, Column, Content, Table
from cato_reporting.adapters.clickhouse.exports.pages import Page

_LOOK = """
SELECT count(), max(subscriber_no)
FROM
(
    SELECT subscriber_no FROM list_rows FINAL
    WHERE run_id = {{run:UUID}} AND subscriber_no > {{after:Int64}}{condition}
    ORDER BY subscriber_no LIMIT {{look:UInt32}}
)
"""

# In the order of the fields of SubscriberRecord.
_COLUMNS = {
    "subscriber_id": Column("toString(subscriber_id)", ArrowType.STRING),
    "full_name": Column("full_name", ArrowType.STRING, Content.TEXT),
    "phones": Column("phones", ArrowType.STRINGS, Content.NUMBERS),
    "emails": Column("emails", ArrowType.STRINGS, Content.TEXTS),
    "attributes": Column("attributes", ArrowType.STRING, Content.FACTS),
    "notified": Column("reached", ArrowType.BOOL),
    "reason": Column("nullIf(last_reason, '')", ArrowType.STRING),
    "wave": Column("nullIf(last_wave, 0)", ArrowType.UINT8),
    "number": Column("nullIf(last_number, '')", ArrowType.STRING, Content.NUMBER),
    "calls": Column("call_count", ArrowType.UINT64),
    "last_call_at": Column("last_start", ArrowType.TIMESTAMP, Content.TIME),
    "consent": Column("nullIf(consent, '')", ArrowType.STRING, Content.TEXT),
    "household": Column("toString(household)", ArrowType.STRING),
    "shared_with": Column("shared_with", ArrowType.STRINGS, Content.TEXTS),
}

PEOPLE = """
SELECT people.subscriber_no AS place, {select}
FROM
(
    SELECT
        subscriber_no, subscriber_id, full_name, phones, emails, attributes, consent, household, shared_with,
        ifNull(household_no, subscriber_no) AS called_no
    FROM list_rows FINAL
    WHERE run_id = {{run:UUID}} AND {these}{condition}
) AS people
LEFT JOIN
(
    SELECT
        subscriber_no, max(notified) AS reached, argMax(toString(reason), (notified, wave)) AS last_reason,
        argMax(wave, (notified, wave)) AS last_wave, argMax(number, (notified, wave)) AS last_number
    FROM result_rows FINAL
    WHERE run_id = {{run:UUID}} AND {these}
    GROUP BY subscriber_no
) AS results ON results.subscriber_no = people.subscriber_no
LEFT JOIN
(
    SELECT
        subscriber_no, count() AS call_count,
        max(toNullable(assumeNotNull(coalesce(started_at, first_event_at)))) AS last_start
    FROM call_rows FINAL
    WHERE
        run_id = {{run:UUID}} AND isNotNull(first_event_at)
        AND ({these} OR subscriber_no IN
        (
            SELECT household_no FROM list_rows
            WHERE run_id = {{run:UUID}} AND {these} AND isNotNull(household_no)
        ))
    GROUP BY subscriber_no
) AS called ON called.subscriber_no = people.called_no
"""

_THESE = "subscriber_no > {after:Int64} AND subscriber_no <= {end:UInt32}"


_CONDITIONS = CONDITIONS | {SubscriberFilter.NONE: " AND false"}


class SubscriberSource:
    """The subscribers of a run that a filter selects; `wave` is the current one, for FAILED."""

    table = Table("Subscribers", SubscriberRecord, _COLUMNS, ("reason", "wave"))

    def __init__(self, run_id: UUID, which: SubscriberFilter, wave: int) -> None:
        self._condition = _CONDITIONS.get(which, "")
        self._values: dict[str, Any] = {"run": run_id, "wave": wave}
        self._after = -1
        self._end = -1

    def next_page(self, client: Client, select: str, size: int) -> Page:
        values = self._values | {"after": self._after, "look": size}
        look = _LOOK.format(condition=self._condition)
        found, end = client.query(look, values).result_rows[0]
        self._end = end if found else self._after
        # An empty page is read, too: it contains the column names or the header of the file.
        sql = PEOPLE.format(select=select, these=_THESE, condition=self._condition)
        return Page(sql, values | {"end": max(self._end, 0)}, last=found < size)

    def confirm(self) -> None:
        self._after = self._end
