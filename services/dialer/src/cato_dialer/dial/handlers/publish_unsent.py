"""Write to the log what the previous life of this process could not: it was cut off and then killed."""

from collections.abc import Sequence
from uuid import UUID

import structlog

from cato_contracts.messages.calls import CallEvent
from cato_dialer.dial.domain.subscriber.past_call import calls_of
from cato_dialer.dial.ports.dial import CallJournal, FencedError, SubscriberLog
from cato_dialer.dial.ports.unsent import Entry, Unsent

log = structlog.get_logger()

_TRIES = 5


async def publish_unsent(journal: CallJournal, unsent: Unsent) -> None:
    """Write the messages that are left, with the times of their events.

    To be done before a new incarnation is claimed: from then on other dialers record these calls as
    interrupted.

    Raises:
        BrokerError: if the log cannot be read or written; what is left stays for the next start.

    """
    for (run_id, no), entries in unsent.left().items():
        written = await _publish(journal, run_id, no, entries)
        unsent.sent(run_id, no)
        log.info(
            "messages of a call were written after a restart",
            run_id=str(run_id),
            subscriber=no,
            written=written,
            left=len(entries),
        )


async def _publish(journal: CallJournal, run_id: UUID, no: int, entries: Sequence[Entry]) -> int:
    """Write what continues the log, and return how much that was.

    A write of the previous life may still arrive, as after a partition. It is rejected, or ours is: then the
    log is read again.
    """
    written = 0
    for _ in range(_TRIES):
        seen = await journal.read(run_id, no)
        try:
            for entry in entries:
                if not _continues(entry, seen):
                    continue
                await journal.append(entry, seen.head)
                written += 1
                seen = await journal.read(run_id, no)
        except FencedError:
            continue
        break
    return written


def _continues(entry: Entry, seen: SubscriberLog) -> bool:
    """Tell whether the message is the next one of its call.

    It is not if the log has it already, or if another dialer has recorded the end of the call.
    """
    body = entry.body
    calls = calls_of(seen.events)
    last = calls[-1] if calls else None
    if last is None or last.call_id != body.call_id or last.ending is not None:
        return False
    if isinstance(body, CallEvent):
        return body.seq == last.next_seq
    return seen.result is None or (not seen.result.notified and seen.result.wave < body.wave)
