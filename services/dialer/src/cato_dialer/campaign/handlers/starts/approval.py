"""Whether a run needs the approval of a second user before its first call."""

from datetime import datetime, timedelta

from cato_contracts.messages.runs import ApprovalOrder
from cato_contracts.requests import Actor
from cato_runtime.configuration.config import ApprovalConfig


def needs_approval(config: ApprovalConfig, actor: Actor, subscriber_count: int) -> bool:
    """Return whether a run of this size waits if the actor starts it."""
    if config.above_subscribers is None or subscriber_count <= config.above_subscribers:
        return False
    return not (config.emergency_skips and actor.emergency)


def approval_order(
    config: ApprovalConfig, actor: Actor, subscriber_count: int, now: datetime
) -> ApprovalOrder | None:
    """Return the approval that a run started by the actor waits for, None if it waits for none."""
    if not needs_approval(config, actor, subscriber_count):
        return None
    until = now + timedelta(seconds=config.expires_after_s)
    return ApprovalOrder(requested_by=actor.user_id, until=until)
