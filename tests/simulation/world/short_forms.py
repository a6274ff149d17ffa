"""Messages in a few words, to explain a failure."""

from collections.abc import Iterable
from datetime import datetime

from cato_contracts.messages.calls import CallEvent
from cato_contracts.messages.runs import SubscriberResult
from cato_reporting.domain.parsed_message import ParsedMessage


def in_short(body: object) -> str:
    """Return the message in one line."""
    match body:
        case CallEvent():
            end = f" {body.reason} {body.success}" if body.reason else ""
            return f"{body.no}/{body.wave} {body.number} {body.call_id.hex[:6]}:{body.seq} {body.kind}{end}"
        case SubscriberResult():
            return f"{body.no}/{body.wave} result {body.notified} {body.reason}"
    return f"{type(body).__name__} {getattr(body, 'wave', '')}"


def lines_of(readings: Iterable[tuple[int, ParsedMessage]], start: datetime) -> list[str]:
    """Return the events of the log, one per line, with the seconds since `start`."""
    return [
        f"{(envelope.occurred_at - start).total_seconds():9.3f} log: {in_short(envelope.body)}"
        for _, reading in readings
        for envelope in reading.events
    ]
