"""Events as columns of the tables, in the form that clickhouse-connect sends without asking for types."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from clickhouse_connect.driver.client import Client
from pydantic_core import to_json

from cato_contracts.calls import CallEvent
from cato_contracts.envelope import Envelope
from cato_contracts.runs import RunSubscriber, SubscriberResult
from cato_reporting.domain.instants import unix_ms
from cato_reporting.domain.wording import event_data, event_name, event_status
from cato_reporting.ports import Fact

_NOTIFIED_RANK = 1 << 63


@dataclass(frozen=True, slots=True)
class Table:
    """A table, and the columns that are inserted."""

    name: str
    columns: dict[str, str]

    def insert(self, client: Client, rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert the rows, if there are any.

        Without deduplication of blocks by the server: a repeated block must reach the derived tables again,
        as the process may have died between the two, and a repeated row does no harm in either.
        """
        if not rows:
            return
        client.insert(
            self.name,
            [list(column) for column in zip(*rows, strict=True)],
            column_names=list(self.columns),
            column_type_names=list(self.columns.values()),
            column_oriented=True,
            settings={"insert_deduplicate": 0},
        )


_TIME = "DateTime64(3, 'UTC')"
_WORD = "LowCardinality(String)"

CALL_EVENTS = Table(
    "call_event_rows",
    {
        "run_id": "UUID",
        "subscriber_no": "UInt32",
        "call_id": "UUID",
        "seq": "UInt16",
        "wave": "UInt8",
        "time": _TIME,
        "kind": _WORD,
        "name": _WORD,
        "status": _WORD,
        "number": "String",
        "phone_index": "UInt16",
        "station_id": "Nullable(UUID)",
        "delayed": "Bool",
        "sip_code": "Nullable(UInt16)",
        "reason": _WORD,
        "heard_ms": "Nullable(UInt32)",
        "success": "Bool",
        "data": "String",
        "position": "UInt64",
    },
)
RESULTS = Table(
    "result_rows",
    {
        "run_id": "UUID",
        "subscriber_no": "UInt32",
        "wave": "UInt8",
        "time": _TIME,
        "notified": "Bool",
        "reason": _WORD,
        "call_id": "Nullable(UUID)",
        "number": "String",
        "position": "UInt64",
        "rank": "UInt64",
    },
)
RUN_EVENTS = Table(
    "run_event_rows",
    {
        "run_id": "UUID",
        "position": "UInt64",
        "place": "UInt8",
        "type": _WORD,
        "wave": "UInt8",
        "time": _TIME,
        "body": "String",
    },
)
LISTS = Table(
    "list_rows",
    {
        "run_id": "UUID",
        "subscriber_no": "UInt32",
        "subscriber_id": "UUID",
        "full_name": "String",
        "phones": "Array(String)",
        "emails": "Array(String)",
    },
)
POSITIONS = Table("log_positions", {"log": _WORD, "position": "UInt64"})


def insert_facts(client: Client, facts: Iterable[Fact]) -> None:
    """Insert the events of the facts into their tables."""
    calls: list[tuple[Any, ...]] = []
    results: list[tuple[Any, ...]] = []
    lives: list[tuple[Any, ...]] = []
    for fact in facts:
        for place, envelope in enumerate(fact.reading.events):
            match envelope.body:
                case CallEvent():
                    calls.append(_call_row(envelope, fact.position))
                case SubscriberResult():
                    results.append(_result_row(envelope, fact.position))
                case _:
                    lives.append((fact.reading.run_id, *_life_row(envelope, fact.position, place)))
    CALL_EVENTS.insert(client, calls)
    RESULTS.insert(client, results)
    RUN_EVENTS.insert(client, lives)


def list_row(run_id: object, subscriber: RunSubscriber) -> tuple[Any, ...]:
    return (
        run_id,
        subscriber.no,
        subscriber.id,
        subscriber.full_name,
        subscriber.phones,
        subscriber.emails,
    )


def _call_row(envelope: Envelope[Any], position: int) -> tuple[Any, ...]:
    event: CallEvent = envelope.body
    return (
        event.run_id,
        event.no,
        event.call_id,
        event.seq,
        event.wave,
        unix_ms(envelope.occurred_at),
        event.kind.value,
        event_name(event),
        event_status(event),
        event.number,
        event.phone_index,
        event.station_id,
        event.delayed,
        event.sip_code,
        event.reason or "",
        event.heard_ms,
        event.success,
        to_json(event_data(event)).decode(),
        position,
    )


def _result_row(envelope: Envelope[Any], position: int) -> tuple[Any, ...]:
    result: SubscriberResult = envelope.body
    return (
        result.run_id,
        result.no,
        result.wave,
        unix_ms(envelope.occurred_at),
        result.notified,
        result.reason,
        result.call_id,
        result.number or "",
        position,
        position | _NOTIFIED_RANK if result.notified else position,
    )


def _life_row(envelope: Envelope[Any], position: int, place: int) -> tuple[Any, ...]:
    wave = getattr(envelope.body, "wave", 0)
    return (
        position,
        place,
        envelope.type,
        wave,
        unix_ms(envelope.occurred_at),
        envelope.body.model_dump_json(),
    )
