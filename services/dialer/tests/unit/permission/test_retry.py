"""Retry rules: what is decided at the end of a call, and which number follows."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cato_contracts.api.reasons import Group, Reason
from cato_contracts.api.resources import SettingsSpec, SuccessCondition
from cato_contracts.api.rules.retries import HOPELESS, OutcomeGroup, RetryRule, outcome_group, rule_for
from cato_contracts.messages.calls import CallEvent, CallEventKind, NumberVerdict
from cato_dialer.dial.domain.call.outcome import CODES
from cato_dialer.dial.domain.permission.retry import RetryDecision, attempts_at, left_out, retry_decision
from cato_dialer.dial.domain.subscriber.next_attempt import Conclude, Dial, next_attempt
from cato_dialer.dial.domain.subscriber.past_call import PastCall

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
STATION = uuid4()
REASONS = ["busy", "no-answer", "not-found", "declined", "forbidden", "not-confirmed", "hung-up-early"]


def spec(*rules: RetryRule, **fields: Any) -> SettingsSpec:
    known = {"name": "s", "attempt_count": 3, "success_condition": SuccessCondition.PICKUP_PHONE}
    return SettingsSpec.model_validate({**known, "retry_rules": list(rules), **fields})


def rule(*outcomes: OutcomeGroup, **fields: Any) -> RetryRule:
    return RetryRule(outcomes=list(outcomes), **fields)


def call(reason: str, phone: int = 0, wave: int = 1) -> PastCall:
    return PastCall(
        uuid4(), wave, f"n{phone}", phone, STATION, False, 6, ending=CallEventKind.ENDED, reason=reason
    )


def test_each_code_that_the_rules_name_is_in_its_group() -> None:
    groups = {
        OutcomeGroup.INVALID_NUMBER: (404, 410, 484, 604),
        OutcomeGroup.REFUSED: (603, 607, 608),
        OutcomeGroup.BUSY: (486, 600),
        OutcomeGroup.UNREACHABLE: (408, 480),
        OutcomeGroup.NETWORK: (403, 488, 500, 503),
    }
    for group, codes in groups.items():
        assert {outcome_group(CODES[code].reason) for code in codes} == {group}


def test_every_reason_of_a_call_is_in_a_group_unless_the_system_or_success_ended_it() -> None:
    without = {reason for reason in Reason if outcome_group(reason) is None}
    assert without == {
        *(reason for reason in Reason if reason.group in {Group.REACHED, Group.SYSTEM, Group.RULE}),
        Reason.STATION_DOWN,
        Reason.OPTED_OUT,
    }


def test_the_first_rule_that_applies_counts() -> None:
    rules = [rule(OutcomeGroup.BUSY, max_attempts=2), rule(OutcomeGroup.BUSY, OutcomeGroup.NO_ANSWER)]
    assert rule_for(rules, "busy") is rules[0]
    assert rule_for(rules, "no-answer") is rules[1]
    assert rule_for(rules, "declined") is None


@pytest.mark.parametrize(
    ("attempts", "fields", "decision"),
    [
        (1, {"max_attempts": 3, "after_s": 60}, (NumberVerdict.RETRY, NOON + timedelta(seconds=60))),
        (2, {"max_attempts": 3}, (NumberVerdict.RETRY, NOON)),
        (3, {"max_attempts": 3}, None),
        (3, {"max_attempts": 3, "drop_number": True}, (NumberVerdict.DROP, None)),
        (1, {"stop": True, "drop_number": True}, (NumberVerdict.STOP, None)),
    ],
)
def test_a_number_is_called_again_until_its_attempts_are_used_up(
    attempts: int, fields: dict[str, Any], decision: tuple[NumberVerdict, datetime | None] | None
) -> None:
    found = retry_decision(spec(rule(OutcomeGroup.BUSY, **fields)), ["UTC"], "busy", attempts, NOON)
    assert found == (RetryDecision(*decision) if decision else None)


def test_a_retry_outside_the_calling_hours_moves_to_their_next_beginning() -> None:
    hours = {"fromHour": 9, "tillHour": 18}
    settings = spec(rule(OutcomeGroup.BUSY, max_attempts=2, after_s=7 * 3600), time_restrictions=hours)
    found = retry_decision(settings, ["UTC"], "busy", 1, NOON)
    assert found == RetryDecision(NumberVerdict.RETRY, datetime(2026, 3, 3, 9, 0, tzinfo=UTC))


def after(*calls: PastCall, phones: int = 2, wave: int = 1, skip: bool = False) -> Any:
    return next_attempt(wave, phones, (STATION,), calls, None, skip_hopeless=skip)


def test_the_other_numbers_are_called_before_a_number_is_called_again() -> None:
    due = NOON + timedelta(minutes=5)
    busy = replace(call("busy"), verdict=NumberVerdict.RETRY, next_attempt_at=due)
    assert after(busy) == Dial(1, (STATION,), 1)
    assert after(busy, call("no-answer", phone=1)) == Dial(0, (STATION,), 2, due)


def test_the_number_that_is_due_first_follows() -> None:
    later = replace(call("busy"), next_attempt_at=NOON + timedelta(minutes=5))
    sooner = replace(call("busy", phone=1), next_attempt_at=NOON)
    assert after(later, sooner) == Dial(1, (STATION,), 2, NOON)
    assert after(later, sooner, call("declined", phone=1)) == Dial(0, (STATION,), 3, later.next_attempt_at)


@pytest.mark.parametrize("lost", ["cancelled", "interrupted"])
def test_a_retry_that_the_system_ended_is_made_again_through_any_station(lost: str) -> None:
    failed = replace(call("no-response"), verdict=NumberVerdict.RETRY, next_attempt_at=NOON)
    ending = CallEventKind.INTERRUPTED if lost == "interrupted" else CallEventKind.ENDED
    repeated = replace(call(lost), ending=ending)
    assert after(failed, repeated, phones=1) == Dial(0, (STATION,), 2, NOON)
    many = [replace(repeated, ending=CallEventKind.INTERRUPTED)] * 4
    assert isinstance(after(failed, *many, phones=1), Conclude)


def test_a_dropped_number_is_called_in_no_later_wave() -> None:
    dropped = replace(call("not-found"), verdict=NumberVerdict.DROP)
    assert after(dropped, wave=2) == Dial(1, (STATION,), 1)
    assert after(dropped, wave=2, phones=1) == Conclude(False, "no-number-left", None)


def test_a_stop_ends_the_wave_with_its_call_and_later_waves_without_one() -> None:
    stopping = replace(call("declined"), verdict=NumberVerdict.STOP)
    assert after(stopping) == Conclude(False, "declined", stopping)
    assert after(stopping, wave=2) == Conclude(False, "retry-stopped", None)


@pytest.mark.parametrize("reason", ["not-found", "gone", "address-incomplete", "does-not-exist", "declined"])
def test_skip_hopeless_leaves_invalid_and_refusing_numbers_out_of_later_waves(reason: str) -> None:
    assert after(call(reason), call("busy", phone=1), wave=2, skip=True) == Dial(1, (STATION,), 2)
    assert after(call(reason), wave=2, skip=False) == Dial(0, (STATION,), 1)
    assert after(call(reason), wave=2, phones=1, skip=True) == Conclude(False, "no-number-left", None)


rules = st.lists(
    st.builds(
        RetryRule,
        outcomes=st.lists(st.sampled_from(list(OutcomeGroup)), min_size=1, max_size=3, unique=True),
        after_s=st.sampled_from([0, 10, 600]),
        max_attempts=st.integers(1, 3),
        drop_number=st.booleans(),
        stop=st.booleans(),
    ),
    max_size=3,
)


@given(rules=rules, phones=st.integers(1, 3), skip=st.booleans(), draw=st.data())
def test_every_wave_ends_and_every_rule_holds(
    rules: list[RetryRule], phones: int, skip: bool, draw: st.DataObject
) -> None:
    """Live through three waves as a worker does, and count the calls by themselves."""
    settings, now = spec(*rules), NOON
    calls: list[PastCall] = []
    for wave in (1, 2, 3):
        while not isinstance(step := after(*calls, phones=phones, wave=wave, skip=skip), Conclude):
            assert isinstance(step, Dial)
            now = max(now, step.not_before or now)
            reason = draw.draw(st.sampled_from(REASONS))
            made = call(reason, step.phone_index, wave)
            made = _decided(settings, calls, made, now)
            _check(settings, calls, made, now, skip=skip)
            calls.append(made)
            now += timedelta(seconds=1)
        assert not step.notified
        of_wave = [each for each in calls if each.wave == wave]
        assert (step.call is not None) == bool(of_wave)
        stopped = any(each.verdict is NumberVerdict.STOP for each in calls)
        barred = left_out(calls, wave, skip_hopeless=skip)
        called = {each.phone_index for each in of_wave}
        assert stopped or called | barred == set(range(phones))


def _end_of(made: PastCall) -> CallEvent:
    return CallEvent(
        run_id=STATION,
        no=0,
        wave=made.wave,
        call_id=made.call_id,
        seq=5,
        kind=CallEventKind.ENDED,
        number=made.number,
        phone_index=made.phone_index,
        reason=made.reason,
    )


def test_calls_that_the_system_ended_or_lost_are_no_attempts() -> None:
    ends = [_end_of(call(reason)) for reason in ("busy", "cancelled", "station-down", "no-response")]
    lost = _end_of(call("interrupted")).model_copy(update={"kind": CallEventKind.INTERRUPTED})
    assert attempts_at([*ends, lost], 1, 0) == 2
    assert attempts_at(ends, 2, 0) == attempts_at(ends, 1, 1) == 0


def _decided(settings: SettingsSpec, calls: list[PastCall], made: PastCall, now: datetime) -> PastCall:
    attempts = attempts_at(map(_end_of, calls), made.wave, made.phone_index) + 1
    found = retry_decision(settings, ["UTC"], made.reason, attempts, now)
    return replace(made, verdict=found.verdict, next_attempt_at=found.at) if found else made


def _check(
    settings: SettingsSpec, calls: list[PastCall], made: PastCall, now: datetime, *, skip: bool
) -> None:
    before = [each for each in calls if each.phone_index == made.phone_index]
    in_wave = [each for each in before if each.wave == made.wave]
    assert not any(each.verdict is NumberVerdict.STOP for each in calls)
    assert not any(each.verdict is NumberVerdict.DROP for each in before)
    if skip:
        earlier = [each for each in before if each.wave < made.wave]
        assert not any(outcome_group(each.reason) in HOPELESS for each in earlier)
    if in_wave:
        allowed = rule_for(settings.retry_rules, in_wave[-1].reason)
        assert allowed is not None
        assert len(in_wave) < allowed.max_attempts
        assert in_wave[-1].next_attempt_at is not None
        assert now >= in_wave[-1].next_attempt_at
