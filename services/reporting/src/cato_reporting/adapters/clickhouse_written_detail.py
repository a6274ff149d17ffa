"""One page of a run's subscribers with their calls as JSON, written by the database.

A page of 1,000 has some 20,000 events. As rows, objects and then JSON again they cost half a second; as text
they are only joined here.
"""

from uuid import UUID

from clickhouse_connect.driver.client import Client

from cato_contracts.status import SubscriberFilter
from cato_reporting.adapters.clickhouse_detail import THESE, range_of, read_notified, read_subscribers
from cato_reporting.ports import WrittenCall, WrittenDetail

_CALLS = f"""
SELECT
    subscriber_no, phone_index, number, call_id,
    concat(
        '{{"csId":', if(station.1 = 0, 'null', concat('"', toString(station.2), '"')),
        ',"callStart":', toString(toUnixTimestamp64Milli(assumeNotNull(coalesce(started_at, first_event_at))) AS start),
        ',"callRingStart":', ifNull(toString(toUnixTimestamp64Milli(ringing_at)), 'null'),
        ',"callTalkingStart":', ifNull(toString(toUnixTimestamp64Milli(answered_at)), 'null'),
        ',"callEnd":', ifNull(toString(toUnixTimestamp64Milli(ended_at)), 'null'),
        ',"success":', if(success, 'true', 'false'),
        ',"delayed":', if(delayed, 'true', 'false'),
        ',"events":['
    )
FROM call_rows FINAL
WHERE {THESE} AND isNotNull(first_event_at)
ORDER BY subscriber_no, start, call_id
"""  # noqa: E501, S608 - our own words

_EVENTS = f"""
SELECT call_id, arrayStringConcat(arrayMap(each -> each.2, arraySort(groupArray((seq, text)))), ',')
FROM
(
    SELECT
        call_id, seq,
        concat(
            '{{"time":', toString(toUnixTimestamp64Milli(time)),
            ',"name":', toJSONString(name),
            ',"status":', toJSONString(status),
            ',"data":', data, '}}'
        ) AS text
    FROM call_event_rows FINAL
    WHERE {THESE}
)
GROUP BY call_id
"""  # noqa: S608 - our own words


def read_written_detail(
    client: Client,
    run_id: UUID,
    *,
    which: SubscriberFilter,
    wave: int,
    after: int,
    limit: int,
    events: bool,
) -> WrittenDetail:
    """Read up to `limit` subscribers with a number above `after`; `wave` is the current one, for FAILED."""
    subscribers = read_subscribers(client, run_id, which=which, wave=wave, after=after, limit=limit)
    if not subscribers:
        return WrittenDetail([], set(), [])
    these = range_of(run_id, subscribers)
    rows: list[tuple[UUID, str]] = []
    if events:
        rows = list(client.query(_EVENTS, these).result_rows)  # type: ignore[arg-type]
    happened = dict(rows)
    calls = [
        WrittenCall(no, phone_index, number, f"{text}{happened.get(call_id, '')}]}}")
        for no, phone_index, number, call_id, text in client.query(_CALLS, these).result_rows
    ]
    return WrittenDetail(subscribers, read_notified(client, these), calls)
