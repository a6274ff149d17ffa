"""One page of a run's subscribers, and the conditions that select their calls and events."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from clickhouse_connect.driver.client import Client

from cato_contracts.api.status import SubscriberFilter

_FAILED = """
 AND subscriber_no IN
(
    SELECT subscriber_no FROM result_rows FINAL WHERE run_id = {run:UUID}
    GROUP BY subscriber_no HAVING NOT max(notified) AND max(wave) = {wave:UInt8}
)
"""

# Without a result a subscriber was not reached either: never called, waiting, or in a call.
_UNREACHED = """
 AND subscriber_no NOT IN (SELECT subscriber_no FROM result_rows FINAL WHERE run_id = {run:UUID} AND notified)
"""

_SUBSCRIBERS = """
SELECT {columns}
FROM list_rows FINAL
PREWHERE run_id = {{run:UUID}} AND subscriber_no > {{after:Int64}}{condition}
ORDER BY subscriber_no
LIMIT {{limit:UInt32}}
"""

# Without a filter a page is a range of the primary key; without this limit it would read all later rows.
_NEXT = " AND subscriber_no <= {after:Int64} + {limit:UInt32}"

CONDITIONS = {SubscriberFilter.FAILED: _FAILED, SubscriberFilter.UNREACHED: _UNREACHED}

# The first and last number bound the range in the primary key; the list of numbers is for filtered pages: it
# is empty where all of the range are meant, as looking each row up in it costs as much as all the rest.
# All are for PREWHERE: the key alone decides, so that may be looked at before rows are merged, and the other
# columns are read for the rows of the page only.
# What is put into the SQL by Python is words of this module alone, here and below.
THESE = (
    "run_id = {run:UUID} AND subscriber_no BETWEEN {first:UInt32} AND {last:UInt32}"
    " AND (empty({nos:Array(UInt32)}) OR subscriber_no IN {nos:Array(UInt32)})"
)

_NOTIFIED = f"SELECT DISTINCT subscriber_no FROM result_rows FINAL PREWHERE {THESE} WHERE notified"  # noqa: S608

# The events of a subscriber have increasing positions. A retry is planned while the last event of a number is
# the end of a call with a time for the next one, and the subscriber has no result in that wave.
_NEXT_ATTEMPTS = f"""
SELECT subscriber_no, toUnixTimestamp64Milli(min(assumeNotNull(last.1)))
FROM
(
    SELECT subscriber_no, phone_index, argMax((next_attempt_at, wave), position) AS last
    FROM call_event_rows PREWHERE {THESE}
    GROUP BY subscriber_no, phone_index
)
WHERE isNotNull(last.1)
    AND (subscriber_no, last.2) NOT IN (SELECT subscriber_no, wave FROM result_rows PREWHERE {THESE})
    AND subscriber_no NOT IN (SELECT subscriber_no FROM result_rows PREWHERE {THESE} WHERE notified)
GROUP BY subscriber_no
"""  # noqa: S608

_MAX_NO = 2**32 - 1


def select_subscribers(
    client: Client,
    columns: str,
    run_id: UUID,
    *,
    which: SubscriberFilter,
    wave: int,
    after: int,
    limit: int,
    formats: dict[str, str] | None = None,
) -> Sequence[Sequence[Any]]:
    """Select columns of the next subscribers of a list; `formats` as clickhouse-connect's `query_formats`."""
    condition = CONDITIONS.get(which, _NEXT)
    values: dict[str, Any] = {"run": run_id, "after": after, "limit": limit, "wave": wave}
    rows: Sequence[Sequence[Any]] = client.query(
        _SUBSCRIBERS.format(columns=columns, condition=condition), values, query_formats=formats
    ).result_rows
    return rows


def range_of(run_id: UUID, nos: list[int]) -> dict[str, Any]:
    """Return the values of `THESE` for some of the list, in its order."""
    whole = len(nos) == nos[-1] - nos[0] + 1
    return {"run": run_id, "first": nos[0], "last": nos[-1], "nos": [] if whole else nos}


def stretch_of(run_id: UUID, after: int, limit: int) -> dict[str, Any]:
    """Return the values of `THESE` for the next `limit` subscribers of the list."""
    first, last = (min(no, _MAX_NO) for no in (after + 1, after + limit))
    return {"run": run_id, "first": first, "last": last, "nos": []}


def read_notified(client: Client, these: dict[str, Any]) -> set[int]:
    return {no for (no,) in client.query(_NOTIFIED, these).result_rows}


def read_next_attempts(client: Client, these: dict[str, Any]) -> dict[int, int]:
    return {no: int(at) for no, at in client.query(_NEXT_ATTEMPTS, these).result_rows}
