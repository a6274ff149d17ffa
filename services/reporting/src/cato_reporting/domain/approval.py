"""What has become of the approval of a run, from its snapshot and the decision of a second user."""

from dataclasses import dataclass
from datetime import datetime

from cato_contracts.api.rules.approvals import Approval, ApprovalState
from cato_contracts.messages.runs import RunApproved, RunEnding, RunRejected, RunSnapshot


@dataclass(frozen=True, slots=True)
class ApprovalDecision:
    """The decision of a second user about a run; there is one at most."""

    at: datetime
    approved: bool
    by: str
    comment: str | None

    @classmethod
    def of(cls, event: RunApproved | RunRejected, at: datetime) -> "ApprovalDecision":
        return cls(at, isinstance(event, RunApproved), event.by, event.comment)


def approval_of(
    snapshot: RunSnapshot,
    decision: ApprovalDecision | None,
    ending: RunEnding | None,
    *,
    expired: bool = False,
) -> Approval | None:
    """Return the approval of a run, None if it needs none.

    `ending`: how the run has ended, None while it goes on. `expired`: it is ending for want of a decision.
    """
    order = snapshot.approval
    if order is None:
        return None
    if decision is None:
        state = ApprovalState.WAITING
        if expired or ending is RunEnding.APPROVAL_EXPIRED:
            state = ApprovalState.EXPIRED
        elif ending is not None:
            state = ApprovalState.WITHDRAWN
        return Approval(state=state, requested_by=order.requested_by, until=order.until)
    return Approval(
        state=ApprovalState.APPROVED if decision.approved else ApprovalState.REJECTED,
        requested_by=order.requested_by,
        until=order.until,
        by=decision.by,
        at=decision.at,
        comment=decision.comment,
    )
