"""A run that needs an approval calls nobody before it; without it each subscriber gets a result."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cato_contracts.errors import ConflictError
from cato_contracts.messages.runs import ApprovalOrder, RunEnding
from cato_dialer.campaign.domain.run.next_step import dispatch_state
from cato_dialer.campaign.domain.run.run import Run
from services.dialer.tests.support.campaign_world import NOW, snapshot
from services.dialer.tests.unit.campaign.test_run_properties import (
    begin,
    go_to_the_end,
    lists,
    story,
)

ORDER = ApprovalOrder(requested_by="user", until=NOW + timedelta(minutes=5))


def run_of(count: int = 2) -> Run:
    return Run.begin(snapshot(count, approval=ORDER), timestamp=NOW)


@settings(max_examples=500, deadline=None)
@given(
    reached_in=lists,
    attempts=st.integers(1, 3),
    seed=st.integers(0, 2**32),
    after=st.integers(0, 4),
    how=st.sampled_from(["approve", "reject", "nothing", "pause and approve"]),
)
def test_a_run_calls_after_its_approval_or_ends_without_calls(reached_in, attempts, seed, after, how):
    world = begin([*reached_in, 1], attempts, seed, crashes=True, approval=ORDER)
    for _ in range(after if how == "nothing" else 0):
        world.disturb()
        world.step()
    if how == "pause and approve":
        world.run.pause(hangup=False, timestamp=world.now)
    if how == "reject":
        world.run.reject(by="head", comment="no", timestamp=world.now)
    elif how != "nothing":
        world.run.approve(by="head", comment=None, timestamp=world.now)
    if how == "pause and approve":
        world.run.resume(timestamp=world.now)
    go_to_the_end(world)

    kinds = [kind for kind, _, _ in story(world.run)]
    count = len(reached_in) + 1
    if "approve" in how:
        assert kinds.index("RunApproved") < kinds.index("WaveStarted")
        assert world.run.ending is RunEnding.FINISHED
        return
    decided = "RunRejected" if how == "reject" else "RunApprovalExpired"
    assert kinds == ["RunStarted", decided, "WaveStarted", "WaveEnded", "RunEnded"]
    assert world.run.ending is (RunEnding.REJECTED if how == "reject" else RunEnding.APPROVAL_EXPIRED)
    assert {no for no, _, _ in world.log} == set(range(count))
    assert not any(notified for _, _, notified in world.log)
    assert how == "reject" or world.now >= ORDER.until


def test_a_run_that_is_not_approved_concerns_no_dialer():
    run = run_of()
    assert dispatch_state(run) is None
    run.reject(by="head", comment=None, timestamp=NOW)
    run.begin_wave(1, 2, timestamp=NOW)
    assert dispatch_state(run) is None


def test_a_decision_is_taken_once():
    approved, rejected, expired = run_of(), run_of(), run_of()
    approved.approve(by="head", comment=None, timestamp=NOW)
    rejected.reject(by="head", comment=None, timestamp=NOW)
    expired.expire_approval(timestamp=ORDER.until)
    for run in (approved, rejected, expired):
        with pytest.raises(ConflictError):
            run.approve(by="deputy", comment=None, timestamp=NOW)
        with pytest.raises(ConflictError):
            run.reject(by="deputy", comment=None, timestamp=NOW)


def test_an_approval_after_its_time_is_refused():
    run = run_of()
    with pytest.raises(ConflictError, match="has passed"):
        run.approve(by="head", comment=None, timestamp=ORDER.until)


def test_a_run_without_need_of_approval_refuses_one():
    run = Run.begin(snapshot(2), timestamp=NOW)
    with pytest.raises(ConflictError, match="needs no approval"):
        run.approve(by="head", comment=None, timestamp=NOW)
