"""Messages in a few words, to explain a failure."""

from cato_contracts.messages.calls import CallEvent
from cato_contracts.messages.runs import SubscriberResult


def in_short(body: object) -> str:
    """Return the message in one line."""
    match body:
        case CallEvent():
            end = f" {body.reason} {body.success}" if body.reason else ""
            return f"{body.no}/{body.wave} {body.number} {body.call_id.hex[:6]}:{body.seq} {body.kind}{end}"
        case SubscriberResult():
            return f"{body.no}/{body.wave} result {body.notified} {body.reason}"
    return f"{type(body).__name__} {getattr(body, 'wave', '')}"
