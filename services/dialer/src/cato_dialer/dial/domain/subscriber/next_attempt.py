"""Decide the next step for a subscriber in a wave, from the log alone.

A worker decides again after every step. A worker that takes over from a dead one therefore does what the dead
one would have done.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cato_contracts.messages.calls import FINAL_KINDS, CallEvent, CallEventKind, CallOwner
from cato_contracts.messages.runs import SubscriberResult
from cato_dialer.dial.domain.call.outcome import (
    CANCELLED,
    STATION_DOWN,
    Cause,
    classify,
    worth_another_station,
)
from cato_dialer.dial.domain.subscriber.fault_limits import (
    FAULT,
    INTERRUPTION_LIMIT,
    INTERRUPTIONS_AT_STATION,
)

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
    )


@dataclass(frozen=True, slots=True)
class Finished:
    """The subscriber's result for this wave is known."""


@dataclass(frozen=True, slots=True)
class Interrupt:
    """Record the end of a call whose owner is gone."""

    call: PastCall
    success: bool


@dataclass(frozen=True, slots=True)
class Dial:
    """Call this number; `stations` are in the order to try, `ordinal` counts the subscriber's calls."""

    phone_index: int
    stations: tuple[UUID, ...]
    ordinal: int


@dataclass(frozen=True, slots=True)
class Conclude:
    """Record the result of the wave; `call` decided it."""

    notified: bool
    reason: str
    call: PastCall


NextAttempt = Finished | Interrupt | Dial | Conclude


def next_attempt(
    wave: int,
    phone_count: int,
    stations: Sequence[UUID],
    calls: Sequence[PastCall],
    result: SubscriberResult | None,
) -> NextAttempt:
    """Decide the next step; `stations` are in order of priority, `result` is the last one of any wave."""
    for call in calls:
        if call.ending is None:
            return Interrupt(call, _succeeded(call, result))
    if result is not None and (result.notified or result.wave >= wave):
        return Finished()
    of_wave = [call for call in calls if call.wave == wave]
    if not of_wave:
        return Dial(0, tuple(stations), len(calls))
    last = of_wave[-1]
    left = _stations_left(of_wave, stations)
    if left:
        return Dial(last.phone_index, left, len(calls))
    if not last.success and last.phone_index + 1 < phone_count:
        return Dial(last.phone_index + 1, tuple(stations), len(calls))
    last = _decisive(of_wave)
    # A fault of the system says nothing about the subscriber, so it is not used as the reason.
    return Conclude(last.success, FAULT if last.interrupted else last.reason or "", last)


def _decisive(of_wave: Sequence[PastCall]) -> PastCall:
    """Return the last call, or the last one that was not made while its station was down."""
    told = [call for call in of_wave if call.reason != STATION_DOWN]
    return told[-1] if told else of_wave[-1]


def _stations_left(of_wave: Sequence[PastCall], stations: Sequence[UUID]) -> tuple[UUID, ...]:
    """Return the stations through which the last number of the wave is worth another call."""
    last = of_wave[-1]
    same_number = [call for call in of_wave if call.phone_index == last.phone_index]
    interruptions = Counter(
        call.station_id for call in same_number if call.ending is CallEventKind.INTERRUPTED
    )
    again = last.to_be_repeated and interruptions.total() <= INTERRUPTION_LIMIT
    if last.success or not (again or worth_another_station(last.reason or "")):
        return ()
    failed_at = {call.station_id for call in same_number if worth_another_station(call.reason or "")}
    left = (station for station in stations if station not in failed_at)
    # The engine may fail because of what a station sends.
    return tuple(sorted(left, key=lambda station: interruptions[station] // INTERRUPTIONS_AT_STATION))


def _succeeded(call: PastCall, result: SubscriberResult | None) -> bool:
    return result is not None and result.notified and result.call_id == call.call_id
