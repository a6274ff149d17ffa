"""The results of subscribers, as they are in the log of a run."""

import structlog

from cato_contracts.envelope import decode
from cato_contracts.errors import UndecodableError
from cato_contracts.messages.runs import SubscriberResult
from cato_jetstream import Record

log = structlog.get_logger()


def result_of(record: Record) -> SubscriberResult | None:
    """Return the result that the message is; None for another message, or one that cannot be read."""
    try:
        result = decode(record.data).body
    except UndecodableError as error:
        log.error("unreadable result skipped", subject=record.subject, reason=str(error))  # noqa: TRY400
        return None
    return result if isinstance(result, SubscriberResult) else None
