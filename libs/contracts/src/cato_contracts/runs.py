"""The events of a run: its life, and what became of each subscriber."""

from enum import StrEnum
from uuid import UUID

from cato_contracts.envelope import Message
from cato_contracts.model import Frozen, Instant
from cato_contracts.objects import ObjectRef
from cato_contracts.resources import Contact, NotificationSettings


class Prompt(Frozen):
    """What a run plays: all prompts joined (and repeated), A-law 8000 bytes/s; length in ms."""

    audio: ObjectRef
    duration_ms: int


class RunSubscriber(Contact):
    """One line of a run's list; `no` counts from 0 and names the subscriber within the run."""

    no: int


class RunSnapshot(Frozen):
    """Everything a run works with, as it was at the start; `subscribers` are JSON lines of `RunSubscriber`.

    `time_zone` is the zone of the settings, or the configured one.
    """

    run_id: UUID
    task_id: UUID
    task_name: str
    user_id: str
    settings: NotificationSettings
    time_zone: str
    prompt: Prompt
    subscribers: ObjectRef
    subscriber_count: int
    priority: int
    start_at: Instant | None
    expires_at: Instant | None


class RunStarted(Message):
    snapshot: RunSnapshot


class WaveStarted(Message):
    """Wave `wave` (from 1) calls `subscriber_count` people: those not notified so far."""

    run_id: UUID
    wave: int
    subscriber_count: int


class WaveEnded(Message):
    """Every subscriber of the wave has a result; both counts are of this wave."""

    run_id: UUID
    wave: int
    notified: int
    failed: int


class RunPaused(Message):
    run_id: UUID


class RunResumed(Message):
    run_id: UUID


class RunStopping(Message):
    """No call is started any more; the run ends when those that are up have ended."""

    run_id: UUID


class RunEnding(StrEnum):
    """How a run came to its end."""

    FINISHED = "FINISHED"
    STOPPED = "STOPPED"
    EXPIRED = "EXPIRED"


class RunEnded(Message):
    run_id: UUID
    ending: RunEnding


class SubscriberResult(Message):
    """What became of subscriber `no` in `wave`; there is one such event per subscriber and wave.

    `reason` is a kebab-case word of the call classifier, `answered` and such for success. `call_id` and
    `number` name the call that decided, None when there was none (nobody could be called).
    """

    run_id: UUID
    no: int
    wave: int
    notified: bool
    reason: str
    call_id: UUID | None
    number: str | None


LifeEvent = RunStarted | WaveStarted | WaveEnded | RunPaused | RunResumed | RunStopping | RunEnded
