"""The decision about a run that needed an approval, while it is followed and from the tables."""

from datetime import timedelta

import pytest

from cato_contracts.api.rules.approvals import ApprovalState
from cato_contracts.errors import NotFoundError
from cato_contracts.messages.runs import (
    ApprovalOrder,
    RunEnded,
    RunEnding,
    RunRejected,
    RunStarted,
    SubscriberResult,
    WaveEnded,
    WaveStarted,
)
from cato_contracts.requests import Actor
from services.reporting.tests.reporting_system import ACTOR, keep_list, publish, reporting
from tests.support.synthetic_runs import BEGIN, run_of_events, synthetic_run

HEAD = Actor(user_id="head", approver=True)


async def test_a_second_user_sees_the_run_and_its_decision_is_kept_in_the_tables(bus, clickhouse_dsn):
    drawn = synthetic_run(5, subscribers=2, waves=1)
    order = ApprovalOrder(requested_by="user", until=BEGIN + timedelta(days=9_000))
    snapshot = drawn.snapshot.model_copy(update={"approval": order})
    run_id = snapshot.run_id
    results = [
        SubscriberResult(
            run_id=run_id, no=no, wave=1, notified=False, reason="not-approved", call_id=None, number=None
        )
        for no in range(2)
    ]
    run = run_of_events(
        drawn,
        snapshot,
        (RunStarted(snapshot=snapshot),),
        (RunRejected(run_id=run_id, by="head", comment="old list"),),
        (WaveStarted(run_id=run_id, wave=1, subscriber_count=2),),
        *((result,) for result in results),
        (
            WaveEnded(run_id=run_id, wave=1, notified=0, failed=2),
            RunEnded(run_id=run_id, ending=RunEnding.REJECTED),
        ),
    )
    await keep_list(bus, run)
    async with reporting(bus, clickhouse_dsn) as reports:
        await publish(bus, run.messages[:1])
        assert (await reports.run(run_id, actor=HEAD)).approval.state is ApprovalState.WAITING
        with pytest.raises(NotFoundError):
            await reports.run(run_id, actor=Actor(user_id="head"))
        assert [each.id for each in (await reports.runs(actor=HEAD, awaits_approval=True)).items] == [run_id]
        assert (await reports.runs(actor=HEAD)).items == []
        await publish(bus, run.messages[1:])
        live = await reports.run(run_id, actor=HEAD)
        assert (await reports.runs(actor=HEAD, awaits_approval=True)).items == []
    assert (live.approval.state, live.approval.by, live.approval.comment) == (
        *(ApprovalState.REJECTED, "head"),
        "old list",
    )
    assert live.report.subscriber_failed_by_rule == {"not-approved": 2}
    async with reporting(bus, clickhouse_dsn) as reports:
        stored = await reports.run(run_id, actor=ACTOR)
        assert stored.approval == live.approval
        assert [each.approval for each in (await reports.runs()).items] == [live.approval]
