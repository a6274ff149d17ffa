"""The approval of a run, as its status shows it."""

from datetime import timedelta

import pytest

from cato_contracts.api.rules.approvals import ApprovalState
from cato_contracts.api.status import RunState
from cato_contracts.envelope import Envelope
from cato_contracts.messages.runs import (
    ApprovalOrder,
    RunApprovalExpired,
    RunApproved,
    RunEnded,
    RunEnding,
    RunPaused,
    RunRejected,
    RunStarted,
    RunStopping,
    WaveStarted,
)
from cato_contracts.requests import Actor
from cato_reporting.domain.approval import approval_of
from cato_reporting.domain.live_run import LiveRun, awaits_approval
from cato_reporting.domain.report import live_report
from tests.support.synthetic_runs import BEGIN, synthetic_run

ORDER = ApprovalOrder(requested_by="user", until=BEGIN + timedelta(hours=1))
SNAPSHOT = synthetic_run(1, subscribers=10).snapshot.model_copy(update={"approval": ORDER})
RUN = SNAPSHOT.run_id
APPROVED = RunApproved(run_id=RUN, by="head", comment="seen")
REJECTED = RunRejected(run_id=RUN, by="head")
EXPIRED = RunApprovalExpired(run_id=RUN)
WAVE = WaveStarted(run_id=RUN, wave=1, subscriber_count=10)


def ends(ending: RunEnding) -> RunEnded:
    return RunEnded(run_id=RUN, ending=ending)


@pytest.mark.parametrize(
    ("bodies", "approval", "state"),
    [
        ([], ApprovalState.WAITING, RunState.WAITING),
        ([RunPaused(run_id=RUN)], ApprovalState.WAITING, RunState.PAUSED),
        ([APPROVED], ApprovalState.APPROVED, RunState.WAITING),
        ([APPROVED, WAVE], ApprovalState.APPROVED, RunState.CALLING),
        ([WAVE, APPROVED], ApprovalState.APPROVED, RunState.CALLING),
        ([REJECTED], ApprovalState.REJECTED, RunState.STOPPING),
        ([REJECTED, WAVE], ApprovalState.REJECTED, RunState.STOPPING),
        ([REJECTED, WAVE, ends(RunEnding.REJECTED)], ApprovalState.REJECTED, RunState.STOPPED),
        ([EXPIRED], ApprovalState.EXPIRED, RunState.STOPPING),
        ([ends(RunEnding.APPROVAL_EXPIRED)], ApprovalState.EXPIRED, RunState.STOPPED),
        ([RunStopping(run_id=RUN), ends(RunEnding.STOPPED)], ApprovalState.WITHDRAWN, RunState.STOPPED),
    ],
)
def test_the_state_of_a_run_and_of_its_approval_agree(bodies, approval, state):
    live = LiveRun(RUN)
    for place, body in enumerate((RunStarted(snapshot=SNAPSHOT), *bodies)):
        at = BEGIN + timedelta(seconds=place)
        live.apply(Envelope.wrap(body, event_id=str(place), occurred_at=at), (place, 0))
    now = BEGIN + timedelta(minutes=1)
    ending = live.end.ending if live.end else None
    shown = approval_of(SNAPSHOT, live.decision, ending, expired=live.approval_expired)
    assert shown is not None
    assert shown.state is approval
    assert (shown.by, shown.comment) == (
        ("head", "seen") if approval is ApprovalState.APPROVED else (live.decision and "head", None)
    )
    assert live_report(live, SNAPSHOT, now).state is state
    assert awaits_approval(live) is (approval is ApprovalState.WAITING)


def test_who_approves_sees_the_runs_that_need_it_and_no_others():
    head = Actor(user_id="head", approver=True)
    assert SNAPSHOT.seen_by(head)
    assert not SNAPSHOT.seen_by(Actor(user_id="head", admin=False))
    assert not SNAPSHOT.model_copy(update={"approval": None}).seen_by(head)
