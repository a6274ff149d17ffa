"""The decision whether a number may be called, by the calls that it has had."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cato_contracts.api.rules.contacts import CallLimit, ContactLimits, ContactScope
from cato_contracts.instants import CLOCK_SKEW, from_unix_ms, unix_ms
from cato_contracts.messages.calls import CallOwner
from cato_dialer.contacts import (
    MOST_KEPT,
    Allowed,
    AppliedLimits,
    Claim,
    Contact,
    LimitReached,
    NumberRecord,
    Wait,
    contact_decision,
)

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SPACE = UUID("8d7d2b0e-5d4b-4d3c-9e0e-0a4d8b7f1c11")
TASKS = [uuid5(SPACE, name) for name in "ab"]
USERS = ["user", "other"]


def contact(ago_s: float, *, user: str = "user", task: UUID = TASKS[0], lasted_s: float = 0) -> Contact:
    at = NOW - timedelta(seconds=ago_s)
    return Contact(at=unix_ms(at), over=unix_ms(at + timedelta(seconds=lasted_s)), user_id=user, task_id=task)


def claim(**changes: object) -> Claim:
    return Claim(
        **{
            "call_id": uuid5(SPACE, "call"),
            "job": "dial.x.1.0",
            "owner": CallOwner(instance="dialer-0", incarnation=1),
            "start_by": NOW + timedelta(seconds=10),
            "ends_by": NOW + timedelta(seconds=60),
            "user_id": "user",
            "task_id": TASKS[0],
            **changes,
        }
    )


def limits(calls: int = 1, per_s: int = 60, **more: object) -> ContactLimits:
    return ContactLimits(limits=[CallLimit(max_calls=calls, per_s=per_s)], **more)


contacts = st.lists(
    st.builds(
        contact,
        st.integers(0, 200),
        user=st.sampled_from(USERS),
        task=st.sampled_from(TASKS),
    ),
    max_size=8,
).map(lambda calls: tuple(sorted(calls, key=lambda call: call.at)))
# Without names: hypothesis would fill the fields under their aliases, too.
bounds = st.builds(
    lambda calls, per_s: CallLimit(max_calls=calls, per_s=per_s), st.integers(1, 4), st.integers(1, 150)
)
applied = st.lists(
    st.builds(
        AppliedLimits,
        st.builds(
            ContactLimits,
            limits=st.lists(bounds, min_size=1, max_size=3),
            min_gap_s=st.integers(0, 100),
            over=st.sampled_from(list(ContactScope)),
        ),
        st.sampled_from([None, "user"]),
    ),
    max_size=3,
)


def counting(one: AppliedLimits, calls: tuple[Contact, ...]) -> list[Contact]:
    return [
        call
        for call in calls
        if one.user_id in (None, call.user_id)
        and (one.limits.over is ContactScope.ALL_TASKS or call.task_id == TASKS[0])
    ]


@given(contacts, applied)
def test_a_call_that_is_allowed_keeps_every_limit_and_gap(calls, limits_):
    decision = contact_decision(NumberRecord(calls=calls), limits_, TASKS[0], NOW)
    within = all(
        sum(call.at > unix_ms(NOW - timedelta(seconds=bound.per_s)) for call in counting(one, calls))
        < bound.max_calls
        for one in limits_
        for bound in one.limits.limits
    )
    gaps = [
        from_unix_ms(call.over) + timedelta(seconds=one.limits.min_gap_s)
        for one in limits_
        if one.limits.min_gap_s
        for call in counting(one, calls)
    ]
    match decision:
        case Allowed():
            assert within
            assert all(gap <= NOW for gap in gaps)
        case Wait(until):
            assert within
            assert NOW < until <= max(gaps) + CLOCK_SKEW
        case LimitReached():
            assert calls


@given(contacts, applied)
def test_a_wait_ends_where_the_gap_does(calls, limits_):
    record = NumberRecord(calls=calls)
    decision = contact_decision(record, limits_, TASKS[0], NOW)
    if isinstance(decision, Wait):
        later = contact_decision(record, limits_, TASKS[0], decision.until)
        assert not isinstance(later, Wait)


@pytest.mark.parametrize(
    ("calls", "one", "allowed"),
    [
        ((), AppliedLimits(limits()), True),
        ((contact(30),), AppliedLimits(limits()), False),
        ((contact(63),), AppliedLimits(limits()), True),
        ((contact(61),), AppliedLimits(limits()), False),
        ((contact(30, user="other"),), AppliedLimits(limits(), "user"), True),
        ((contact(30, user="other"),), AppliedLimits(limits()), False),
        ((contact(30, task=TASKS[1]),), AppliedLimits(limits(over=ContactScope.TASK)), True),
        ((contact(30),), AppliedLimits(limits(over=ContactScope.TASK)), False),
        ((contact(30),), AppliedLimits(limits(calls=2)), True),
    ],
)
def test_a_limit_counts_the_calls_of_its_scope_within_its_period(calls, one, allowed):
    decision = contact_decision(NumberRecord(calls=calls), [one], TASKS[0], NOW)
    assert decision == (Allowed() if allowed else LimitReached())


def test_a_gap_counts_from_the_end_of_the_last_call():
    record = NumberRecord(calls=(contact(100, lasted_s=70),))
    gap = [AppliedLimits(ContactLimits(min_gap_s=60))]
    assert contact_decision(record, gap, TASKS[0], NOW) == Wait(NOW + timedelta(seconds=30) + CLOCK_SKEW)


def test_a_released_claim_counts_from_the_latest_moment_of_its_request():
    record = NumberRecord().claimed(claim())
    sent_by, over = NOW + timedelta(seconds=2), NOW + timedelta(seconds=30)
    (call,) = record.released(sent_by=sent_by, over=over).calls
    assert (call.at, call.over, call.user_id, call.task_id) == (
        unix_ms(sent_by),
        unix_ms(over),
        "user",
        TASKS[0],
    )


@pytest.mark.parametrize(("sent_by", "counted"), [(None, True), (NOW, False)])
def test_a_call_that_was_not_sent_or_is_a_test_does_not_count(sent_by, counted):
    record = NumberRecord().claimed(claim(counted=counted))
    assert record.released(sent_by=sent_by, over=NOW) == NumberRecord()


def test_the_claim_of_a_lost_process_counts():
    (call,) = NumberRecord().claimed(claim()).lost(NOW + timedelta(hours=1)).calls
    assert call.over == unix_ms(NOW + timedelta(seconds=60))
    assert call.at == unix_ms(NOW + timedelta(seconds=10))


def test_a_record_does_not_grow_without_bound():
    record = NumberRecord(calls=tuple(contact(1) for _ in range(MOST_KEPT)))
    assert len(record.claimed(claim()).released(sent_by=NOW, over=NOW).calls) == MOST_KEPT
    assert record.since(NOW) == NumberRecord()
