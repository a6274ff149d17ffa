"""When an open call of another process counts as over."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from cato_contracts.instants import CLOCK_SKEW
from cato_contracts.messages.calls import CallOwner
from cato_dialer.dial.domain.subscriber.past_call import PastCall
from cato_dialer.dial.domain.subscriber.takeover import OwnerAnswer, TakeoverRule, is_over

OWNER = CallOwner(instance="dialer-1", incarnation=7)
ENDS_BY = datetime(2026, 3, 2, 9, 5, tzinfo=UTC)
BEFORE, AFTER = ENDS_BY - timedelta(seconds=1), ENDS_BY + CLOCK_SKEW + timedelta(milliseconds=1)


def over(
    answer: OwnerAnswer,
    *,
    newest: int = 7,
    now: datetime = BEFORE,
    rule: TakeoverRule = TakeoverRule.SAFE,
    owner: CallOwner | None = OWNER,
) -> bool:
    call = PastCall(
        call_id=uuid4(),
        wave=1,
        number="1",
        phone_index=0,
        station_id=None,
        delayed=False,
        next_seq=2,
        owner=owner,
        ends_by=ENDS_BY if owner else None,
    )
    return is_over(call, answer, newest_incarnation=newest, now=now, rule=rule)


def test_t21_call_of_a_silent_owner_is_not_over() -> None:
    assert not over(OwnerAnswer.SILENCE)


def test_call_is_over_when_its_owner_says_so() -> None:
    assert over(OwnerAnswer.OVER)


@pytest.mark.parametrize("rule", TakeoverRule)
def test_call_that_a_replica_has_up_is_not_over_whatever_its_latest_end(rule: TakeoverRule) -> None:
    assert not over(OwnerAnswer.UP, now=AFTER, newest=8, rule=rule)


def test_call_is_over_when_its_owner_was_restarted() -> None:
    assert over(OwnerAnswer.SILENCE, newest=8)


def test_forgotten_name_is_no_proof() -> None:
    assert not over(OwnerAnswer.SILENCE, newest=0)


def test_call_is_over_after_its_latest_end_and_the_difference_of_clocks() -> None:
    assert not over(OwnerAnswer.SILENCE, now=ENDS_BY + CLOCK_SKEW)
    assert over(OwnerAnswer.SILENCE, now=AFTER)


def test_silence_suffices_with_fast_takeover() -> None:
    assert over(OwnerAnswer.SILENCE, rule=TakeoverRule.FAST)


def test_silence_suffices_for_a_call_recorded_without_its_owner() -> None:
    assert over(OwnerAnswer.SILENCE, owner=None)
