"""The calls to a subscriber, folded from their events."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cato_contracts.messages.calls import FINAL_KINDS, CallEvent, CallEventKind, CallOwner, NumberVerdict
from cato_dialer.dial.domain.call.outcome import CANCELLED, STATION_DOWN, Cause, classify

_NO_TRY = frozenset({CANCELLED, STATION_DOWN})
_LOST = classify(Cause.FAULT).reason


@dataclass(frozen=True, slots=True)
class PastCall:
    """A call, folded from its events; `ending` is None while it has no final event."""

    call_id: UUID
    wave: int
    number: str
    phone_index: int
    station_id: UUID | None
    delayed: bool
    next_seq: int
    owner: CallOwner | None = None
    ends_by: datetime | None = None
    answered: bool = False
    ending: CallEventKind | None = None
    success: bool = False
    reason: str | None = None
    sip_call_id: str | None = None
    verdict: NumberVerdict | None = None
    next_attempt_at: datetime | None = None
    opted_out: bool = False

    @property
    def to_be_repeated(self) -> bool:
        """Tell whether the call ended for reasons of the system, so that the number has not had its try."""
        return self.interrupted or (not self.success and self.reason in _NO_TRY)

    @property
    def interrupted(self) -> bool:
        """Tell whether the system lost the call: its reason says nothing about the subscriber."""
        return not self.success and self.ending is CallEventKind.INTERRUPTED


def repeats_number(reason: str) -> bool:
    """Return whether the number of a call with this reason is called again: the call was no try."""
    return reason in _NO_TRY or reason == _LOST


def calls_of(events: Sequence[CallEvent]) -> tuple[PastCall, ...]:
    """Fold a subscriber's events, in their order, into the calls of the run so far."""
    calls: dict[UUID, list[CallEvent]] = {}
    for event in events:
        calls.setdefault(event.call_id, []).append(event)
    return tuple(_call_of(of_call) for of_call in calls.values())


def _call_of(events: Sequence[CallEvent]) -> PastCall:
    first, latest = events[0], events[::-1]
    final = next((event for event in latest if event.kind in FINAL_KINDS), None)
    return PastCall(
        call_id=first.call_id,
        wave=first.wave,
        number=first.number,
        phone_index=first.phone_index,
        station_id=next((event.station_id for event in latest if event.station_id), None),
        delayed=any(event.delayed for event in events),
        next_seq=latest[0].seq + 1,
        owner=next((event.owner for event in latest if event.owner), None),
        ends_by=next((event.ends_by for event in latest if event.ends_by), None),
        answered=any(event.kind is CallEventKind.ANSWERED for event in events),
        ending=final.kind if final else None,
        success=final.success if final else False,
        reason=final.reason if final else None,
        sip_call_id=next((event.sip_call_id for event in latest if event.sip_call_id), None),
        verdict=final.verdict if final else None,
        next_attempt_at=final.next_attempt_at if final else None,
        opted_out=any(event.kind is CallEventKind.OPTED_OUT for event in events),
    )
