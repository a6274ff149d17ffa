"""The work of the dial role: one job per subscriber and wave, and the runs that there are jobs of."""

from enum import StrEnum
from uuid import UUID

from cato_contracts.envelope import Message
from cato_contracts.model import Frozen, Instant
from cato_contracts.resources import NotificationSettings
from cato_contracts.runs import Prompt, RunSubscriber


class DialJob(Message):
    """Reach this subscriber in this wave: all that a dial replica needs to know."""

    run_id: UUID
    wave: int
    subscriber: RunSubscriber
    settings: NotificationSettings
    time_zone: str
    prompt: Prompt
    priority: int
    expires_at: Instant | None


class RunMode(StrEnum):
    """What dial replicas may do for a run."""

    CALLING = "CALLING"
    PAUSED = "PAUSED"
    STOPPING = "STOPPING"


class RunTicket(Frozen):
    """A run that dial replicas take jobs of, in the `runs` bucket under the run's id."""

    run_id: UUID
    priority: int
    mode: RunMode
    hangup: bool = False
