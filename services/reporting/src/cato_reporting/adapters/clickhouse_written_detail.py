"""One page of a run's subscribers with their calls as JSON, written by the database.

A page of 1,000 has some 20,000 events. As rows, objects and then JSON again they cost half a second; as text
they are only joined here.
"""

from typing import Any, NamedTuple
from uuid import UUID

from clickhouse_connect.driver.client import Client

from cato_reporting.adapters.clickhouse_detail import THESE
from cato_reporting.ports import WrittenCall

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
PREWHERE {THESE} WHERE isNotNull(first_event_at)
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
    PREWHERE {THESE}
)
GROUP BY call_id
"""  # noqa: S608 - our own words


class CallHead(NamedTuple):
    """A call, and its JSON object as far as its list of events."""

    no: int
    phone_index: int
    number: str
    call_id: UUID
    text: str

    def with_events(self, events: str) -> WrittenCall:
        return WrittenCall(self.no, self.phone_index, self.number, f"{self.text}{events}]}}")


def read_written_events(client: Client, these: dict[str, Any]) -> dict[UUID, str]:
    """Return the events of each call of a range of subscribers, with commas between them."""
    rows: list[Any] = list(client.query(_EVENTS, these).result_rows)
    return dict(rows)


def read_call_heads(client: Client, these: dict[str, Any]) -> list[CallHead]:
    """Return the calls of a range of subscribers, each up to its events."""
    return [CallHead(*row) for row in client.query(_CALLS, these).result_rows]
