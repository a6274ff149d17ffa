"""What a retry rule decides at the end of a call. The decision is recorded in the call's last event."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cato_contracts.api.calling_hours import next_allowed
from cato_contracts.api.resources import SettingsSpec
from cato_contracts.api.rules.retries import HOPELESS, outcome_group, rule_for
from cato_contracts.messages.calls import CallEvent, CallEventKind, NumberVerdict
from cato_dialer.dial.domain.subscriber.past_call import PastCall, repeats_number


@dataclass(frozen=True, slots=True)
class RetryDecision:
    """The verdict about the number that was called, and with RETRY the time of its next call."""

    verdict: NumberVerdict
    at: datetime | None = None


def retry_decision(
    settings: SettingsSpec, zones: Iterable[str], reason: str | None, attempts: int, ended_at: datetime
) -> RetryDecision | None:
    """Decide about a number after an unsuccessful call; None if no rule has anything to say.

    `attempts` are the calls that the number has had in the wave, this one included. `zones` are those of the
    calling hours, into which the next call moves.
    """
    rule = rule_for(settings.retry_rules, reason)
    if rule is None:
        return None
    if attempts < rule.max_attempts:
        due = ended_at + timedelta(seconds=rule.after_s)
        return RetryDecision(NumberVerdict.RETRY, next_allowed(settings, zones, due) or due)
    if rule.stop:
        return RetryDecision(NumberVerdict.STOP)
    return RetryDecision(NumberVerdict.DROP) if rule.drop_number else None


def attempts_at(events: Iterable[CallEvent], wave: int, phone_index: int) -> int:
    """Count the calls to a number that ended in a wave, without those that the system ended or lost."""
    return sum(
        event.kind is CallEventKind.ENDED
        and event.phone_index == phone_index
        and event.wave == wave
        and not repeats_number(event.reason or "")
        for event in events
    )


def left_out(calls: Iterable[PastCall], wave: int, *, skip_hopeless: bool) -> frozenset[int]:
    """Return the indexes of the numbers that are not called (again) in this wave."""
    return frozenset(
        call.phone_index
        for call in calls
        if call.verdict is NumberVerdict.DROP
        or (skip_hopeless and call.wave < wave and outcome_group(call.reason) in HOPELESS)
    )
