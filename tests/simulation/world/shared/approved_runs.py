"""A run that waits for a second user, who approves it, rejects it, or does not decide."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cato_contracts.api.reasons import Reason
from cato_contracts.api.rules.approvals import ApproveRun, RejectRun
from cato_contracts.errors import ErrorCode
from cato_contracts.messages.calls import CallEvent, CallEventKind
from cato_contracts.messages.runs import (
    RunApprovalExpired,
    RunApproved,
    RunEnding,
    RunRejected,
    SubscriberResult,
)
from cato_contracts.requests import Actor
from cato_jetstream import Record
from tests.simulation.world.history import History
from tests.simulation.world.judgement.judge import Judge
from tests.simulation.world.world import USER, World

SECOND_USERS = (Actor(user_id="head", approver=True), Actor(user_id="deputy", approver=True))
_DECISIONS: Mapping[type[object], RunEnding | None] = {
    RunApproved: None,
    RunRejected: RunEnding.REJECTED,
    RunApprovalExpired: RunEnding.APPROVAL_EXPIRED,
}
_LATE_S = 30.0
"""How long a crashed campaign dialer may delay the end of a run that no user has decided about."""


@dataclass(frozen=True)
class Decide:
    """A decision `at` seconds after the start; `by` a second user, or None: the user who has started it."""

    at: float
    action: type[ApproveRun | RejectRun]
    by: int | None


@dataclass(frozen=True)
class WaitingRun(History):
    """The input of a run that needs an approval within `expires_after_s`."""

    expires_after_s: int = 20
    decisions: tuple[Decide, ...] = field(default=())


class ApprovalJudge(Judge):
    """No call begins before the approval, and a run that is not approved gives each subscriber a result."""

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        self.accepted: list[type[ApproveRun | RejectRun]] = []
        self._decision: object | None = None
        self._decided_at = 0.0

    def take(self, record: Record) -> None:
        super().take(record)
        for _, reading in self.readings()[-1:]:
            for envelope in reading.events:
                self._take(envelope.body)

    def _take(self, body: object) -> None:
        if type(body) in _DECISIONS:
            if self._decision is not None:
                self._world.violated(f"{body} follows {self._decision}")
            self._decision, self._decided_at = body, asyncio.get_running_loop().time()
        approved = isinstance(self._decision, RunApproved)
        if isinstance(body, CallEvent) and body.kind is CallEventKind.STARTED and not approved:
            self._world.violated(f"subscriber {body.no} is called without an approval")
        if isinstance(body, SubscriberResult) and (body.reason == Reason.NOT_APPROVED) is approved:
            self._world.violated(f"{body} after {self._decision}")

    def judge(self) -> None:
        super().judge()
        ending, decision, rules = self.rules.ending, self._decision, self.rules
        history = self._world.history
        if rules.snapshot is None:
            return
        for action in self.accepted:
            wanted = RunApproved if action is ApproveRun else RunRejected
            if not isinstance(decision, wanted):
                self._world.violated(f"{action.__name__} was accepted, and the log has {decision}")
        if isinstance(decision, RunRejected | RunApprovalExpired):
            if ending is not _DECISIONS[type(decision)]:
                self._world.violated(f"the run ends as {ending} after {decision}")
            if len(rules.results) != rules.snapshot.subscriber_count or self._world.exchange.placed:
                self._world.violated("a run without approval has calls, or subscribers without a result")
        if decision is None and ending not in {RunEnding.STOPPED, RunEnding.EXPIRED}:
            self._world.violated(f"the run ends as {ending} without a decision")
        if isinstance(decision, RunApprovalExpired):
            late_s = self._decided_at - history.expires_after_s
            crashes = len(history.campaign_crashes) * (history.restart_after_s + _LATE_S)
            if not 0 <= late_s + 1 <= crashes + _LATE_S + 65:
                self._world.violated(f"the approval expires {late_s:.1f} s late")


class ApprovedRuns(World):
    """Lets users decide about the run at their times, and repeats their requests."""

    history: WaitingRun
    judge: ApprovalJudge
    judge_type = ApprovalJudge

    def __init__(self, history: WaitingRun) -> None:
        super().__init__(history)
        approval = {"above_subscribers": 0, "expires_after_s": history.expires_after_s}
        self.config = type(self.config).model_validate(self.config.model_dump() | {"approval": approval})

    async def _control(self) -> None:
        began = asyncio.get_running_loop().time()
        self._spawn(self._decide(began))
        await super()._control()

    async def _decide(self, began: float) -> None:
        for place, one in enumerate(sorted(self.history.decisions, key=lambda one: one.at)):
            await asyncio.sleep(max(0.0, began + one.at - asyncio.get_running_loop().time()))
            actor = USER if one.by is None else SECOND_USERS[one.by]
            request = one.action.model_validate({"actor": actor, "id": self.run_id, "comment": "c"})
            # A client may repeat a request whose answer it has: it changes nothing.
            for _ in range(2):
                self._judge_answer(one, await self.ask(request, f"decision-{place}"))

    def _judge_answer(self, one: Decide, answer: Any) -> None:
        if one.by is None:
            if answer.error is None or answer.error.code is not ErrorCode.FORBIDDEN:
                self.violated(f"{one} of the user who has started the run is answered with {answer}")
        elif answer.error is None:
            self.judge.accepted.append(one.action)
        elif answer.error.code is not ErrorCode.CONFLICT:
            self.violated(f"{one} is answered with {answer.error}")
