"""One page of a run's subscribers with their calls as JSON, written by the database.

A page of 1,000 subscribers has some 20,000 events. Reading them as rows and writing them as JSON takes half a
second; text only has to be joined. The query returns few rows: reading 10,000 rows of text in Python takes as
long as writing the text.
"""

from typing import Any
from uuid import UUID

from clickhouse_connect.driver.client import Client

from cato_contracts.api.status import SubscriberFilter
from cato_reporting.adapters.clickhouse.detail import THESE, select_subscribers
from cato_reporting.domain.written_detail import WrittenCalls, WrittenSubscriber

_UNREAD = {"String": "bytes"}
"""Text stays bytes: as `str` it would take twice the memory, and time to decode and encode."""

_CONTACT = """
    subscriber_no,
    concat(
        '{"fullName":', toJSONString(full_name), ',"phones":', toJSONString(phones),
        ',"emails":', toJSONString(emails),
        if(empty(attributes), '', concat(',"attributes":', toJSONString(attributes))),
        if(time_zone = '', '', concat(',"timeZone":', toJSONString(time_zone))),
        if(consent = '', '', concat(',"consent":', toJSONString(consent))), '}'
    ),
    toJSONString(phones),
    if(
        isNull(household), '',
        concat(',"household":"', toString(household), '","sharedWith":', toJSONString(shared_with))
    )
"""

_HEADS = f"""
SELECT
    subscriber_no, phone_index, number, call_id,
    toUnixTimestamp64Milli(assumeNotNull(coalesce(started_at, first_event_at))) AS start,
    concat(
        '{{"csId":', if(station.1 = 0, 'null', concat('"', toString(station.2), '"')),
        ',"callStart":', toString(start),
        ',"callRingStart":', ifNull(toString(toUnixTimestamp64Milli(ringing_at)), 'null'),
        ',"callTalkingStart":', ifNull(toString(toUnixTimestamp64Milli(answered_at)), 'null'),
        ',"callEnd":', ifNull(toString(toUnixTimestamp64Milli(ended_at)), 'null'),
        ',"success":', if(success, 'true', 'false'),
        ',"delayed":', if(delayed, 'true', 'false'),
        if(reason_header = '', '', concat(',"reasonHeader":', toJSONString(reason_header))),
        if(sip_call.1 = 0, '', concat(',"sipCallId":', toJSONString(sip_call.2))),
        ',"events":['
    ) AS head
FROM call_rows FINAL
PREWHERE {THESE} WHERE isNotNull(first_event_at)
"""  # noqa: S608 - our own words, here and below

_EVENTS = f"""
SELECT call_id, arrayStringConcat(arrayMap(each -> each.2, arraySort(groupArray((seq, text)))), ',') AS list
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
    PREWHERE {THESE}
)
GROUP BY call_id
"""  # noqa: S608


def _calls(calls: str, events: str) -> str:
    """Return the query that writes calls: the head of a call, its events, the end."""
    return f"""
SELECT
    subscriber_no, phone_index, any(number),
    arrayStringConcat(arrayMap(each -> each.3, arraySort(groupArray((start, call_id, text)))), ',')
FROM
(
    SELECT subscriber_no, phone_index, number, start, call_id, concat(head, {events}, ']}}') AS text
    FROM {calls}
)
GROUP BY subscriber_no, phone_index
"""  # noqa: S608


_WITH_EVENTS = _calls(
    f"({_HEADS}) AS heads ANY LEFT JOIN ({_EVENTS}) AS happened USING call_id", "happened.list"
)
_WITHOUT_EVENTS = _calls(f"({_HEADS}) AS heads", "''")


def read_written_subscribers(
    client: Client, run_id: UUID, *, which: SubscriberFilter, wave: int, after: int, limit: int
) -> list[WrittenSubscriber]:
    """Read up to `limit` subscribers with a number above `after`; `wave` is the current one, for FAILED."""
    rows = select_subscribers(
        client, _CONTACT, run_id, which=which, wave=wave, after=after, limit=limit, formats=_UNREAD
    )
    return [WrittenSubscriber(*row) for row in rows]


def read_written_calls(client: Client, these: dict[str, Any], *, events: bool) -> list[WrittenCalls]:
    """Read the calls of a range of subscribers."""
    sql = _WITH_EVENTS if events else _WITHOUT_EVENTS
    rows = client.query(sql, these, query_formats=_UNREAD).result_rows
    return [WrittenCalls(*row) for row in rows]
