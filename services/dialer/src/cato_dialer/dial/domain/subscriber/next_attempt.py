"""Decide the next step for a subscriber in a wave, from the log alone.

A worker decides again after every step. A worker that takes over from a dead one therefore does what the dead
one would have done.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cato_contracts.api.reasons import Reason
from cato_contracts.messages.calls import CallEventKind, NumberVerdict
from cato_contracts.messages.runs import SubscriberResult
from cato_dialer.dial.domain.call.outcome import OPTED_OUT, STATION_DOWN, worth_another_station
from cato_dialer.dial.domain.permission.retry import left_out
from cato_dialer.dial.domain.subscriber.fault_limits import (
    FAULT,
    INTERRUPTION_LIMIT,
    INTERRUPTIONS_AT_STATION,
)
from cato_dialer.dial.domain.subscriber.past_call import PastCall


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
    """Call this number; `stations` are in the order to try, `ordinal` counts the subscriber's calls.

    `not_before`: a retry rule forbids the call until then.
    """

    phone_index: int
    stations: tuple[UUID, ...]
    ordinal: int
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Conclude:
    """Record the result of the wave; `call` decided it, None if the wave has no call."""

    notified: bool
    reason: str
    call: PastCall | None


NextAttempt = Finished | Interrupt | Dial | Conclude


def next_attempt(
    wave: int,
    phone_count: int,
    stations: Sequence[UUID],
    calls: Sequence[PastCall],
    result: SubscriberResult | None,
    *,
    skip_hopeless: bool = False,
    excluded: frozenset[int] = frozenset(),
    limited: frozenset[int] = frozenset(),
) -> NextAttempt:
    """Decide the next step; `stations` are in order of priority, `result` is the last one of any wave.

    A subscriber who has opted out in a call is not called again on any number. `excluded` are the indexes of
    the numbers that an exclusion list has now, `limited` those of the numbers that have had their calls.
    Numbers that were not called in the wave come first, then those that a retry rule calls again.
    """
    for call in calls:
        if call.ending is None:
            return Interrupt(call, _succeeded(call, result))
    if result is not None and (result.notified or result.wave >= wave):
        return Finished()
    asked = next((call for call in calls if call.opted_out), None)
    if asked is not None:
        return Conclude(False, OPTED_OUT, asked)
    of_wave = [call for call in calls if call.wave == wave]
    left = _stations_left(of_wave, stations) if of_wave else ()
    if left and of_wave[-1].phone_index not in excluded | limited:
        return Dial(of_wave[-1].phone_index, left, len(calls))
    barred = left_out(calls, wave, skip_hopeless=skip_hopeless)
    if step := _next_number(wave, phone_count, stations, calls, barred | excluded | limited):
        return step
    if limited - barred:
        without_calls = Reason.LIMIT_REACHED
    else:
        without_calls = Reason.EXCLUDED if excluded - barred else Reason.NO_NUMBER_LEFT
    return _conclusion(of_wave, stopped=_stopped(calls), without_calls=without_calls)


def _next_number(
    wave: int,
    phone_count: int,
    stations: Sequence[UUID],
    calls: Sequence[PastCall],
    barred: frozenset[int],
) -> Dial | None:
    """Return the call to the next number of the wave that is not barred, None if no number is left."""
    of_wave = [call for call in calls if call.wave == wave]
    if _stopped(calls) or (of_wave and of_wave[-1].success):
        return None
    tried = max((call.phone_index for call in of_wave), default=-1)
    fresh = next((index for index in range(tried + 1, phone_count) if index not in barred), None)
    if fresh is not None:
        return Dial(fresh, tuple(stations), len(calls))
    # A repeated call that the system lost, or ended, leaves the number as its last try has left it.
    last_try = {call.phone_index: call for call in of_wave if not call.to_be_repeated}
    interruptions = Counter(call.phone_index for call in of_wave if call.interrupted)
    due = [
        (call.next_attempt_at, index)
        for index, call in last_try.items()
        if call.next_attempt_at is not None
        and index not in barred
        and interruptions[index] <= INTERRUPTION_LIMIT
    ]
    if not due:
        return None
    not_before, phone_index = min(due)
    return Dial(phone_index, tuple(stations), len(calls), not_before)


def _stopped(calls: Sequence[PastCall]) -> bool:
    return any(call.verdict is NumberVerdict.STOP for call in calls)


def _conclusion(of_wave: Sequence[PastCall], *, stopped: bool, without_calls: Reason) -> Conclude:
    if not of_wave and stopped:
        return Conclude(False, Reason.RETRY_STOPPED, None)
    if not of_wave:
        return Conclude(False, without_calls, None)
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
