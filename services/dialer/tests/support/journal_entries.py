"""Entries of the journal of calls: events of two calls, and results of one subscriber."""

from datetime import UTC, datetime
from uuid import uuid4

from cato_contracts.envelope import Envelope
from cato_contracts.messages.calls import CallEvent, CallEventKind
from cato_contracts.messages.runs import SubscriberResult

RUN, CALL, OTHER_CALL = uuid4(), uuid4(), uuid4()


def event(seq: int, *, no: int = 0, kind: CallEventKind = CallEventKind.DIGIT) -> Envelope[CallEvent]:
    body = CallEvent(
        run_id=RUN,
        no=no,
        wave=1,
        call_id=CALL if no == 0 else OTHER_CALL,
        seq=seq,
        kind=kind,
        number="1001",
        phone_index=0,
    )
    return Envelope[CallEvent].wrap(body, event_id=body.event_id, occurred_at=datetime.now(UTC))


def result(wave: int, *, no: int = 0) -> Envelope[SubscriberResult]:
    body = SubscriberResult(
        run_id=RUN, no=no, wave=wave, notified=False, reason="busy", call_id=CALL, number="1001"
    )
    return Envelope[SubscriberResult].wrap(body, event_id=f"{RUN}:{no}:{wave}", occurred_at=datetime.now(UTC))
