"""The events of a run: its life, and the result of each subscriber."""

from enum import StrEnum
from uuid import UUID

from pydantic import Field

from cato_contracts.api.resources import Contact, NotificationSettings
from cato_contracts.api.rules.exclusions import ExclusionChoice
from cato_contracts.envelope import Message
from cato_contracts.model import Frozen, Instant
from cato_contracts.objects import ObjectRef
from cato_contracts.requests import Actor


class Prompt(Frozen):
    """The audio of a run: all files joined, A-law at 8000 bytes/s, and how often they are played.

    `duration_ms` is the length of everything that is played. Runs of earlier versions stored the repetitions.
    """

    audio: ObjectRef
    duration_ms: int
    repeat_count: int = Field(default=1, ge=1, exclude_if=lambda count: count == 1)


class OptOut(Frozen):
    """What follows when a called person presses `optOutKey`.

    The number is put on the exclusion list `list_id`, which is made with the name `list_name` if there is
    none. `prompt` is played before the call is hung up, None for nothing.
    """

    list_id: UUID
    list_name: str
    prompt: Prompt | None = None


class ApprovalOrder(Frozen):
    """A user other than `requested_by` must approve the run before `until`, or it ends."""

    requested_by: str
    until: Instant


class RunSubscriber(Contact):
    """One line of the list of a run; `no` is its index, from 0, and identifies the subscriber in the run.

    `zones`: in all of them a call must be in hours, as the number is in use there; empty: by `time_zone`.
    `shared`: another subscriber of the list, who does not share the calls, has one of the numbers.

    Subscribers who share their calls are a household. `household` is the id of its first one, who is called,
    `household_no` the index of that one; `members` are the indexes of the others, at the first one only.
    """

    no: int
    zones: list[str] = Field(default_factory=list, exclude_if=lambda zones: not zones)
    shared: bool = Field(default=False, exclude_if=lambda shared: not shared)
    household: UUID | None = Field(default=None, exclude_if=lambda first: first is None)
    household_no: int | None = Field(default=None, exclude_if=lambda no: no is None)
    members: list[int] = Field(default_factory=list, exclude_if=lambda members: not members)


class RunSnapshot(Frozen):
    """The input of a run, as it was at the start; `subscribers` refers to JSON lines of `RunSubscriber`.

    `time_zone` is the zone of the settings, or the configured one. `repeats` is the run whose unreached
    subscribers are called; `test` marks a test call.
    `zones` are those of the subscribers, if the settings have `local_time`. `traceparent` is the context of
    the request that started the run (W3C Trace Context), if traces were on.
    Without `exclusions`, all exclusion lists of the settings' user count. `opt_out` is there if the settings
    have `opt_out_key`. `approval` is there if no call may begin before a second user has approved the run.
    `sharing` are the subscribers who share the calls of another one.
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
    repeats: UUID | None = Field(default=None, exclude_if=lambda repeats: repeats is None)
    test: bool = Field(default=False, exclude_if=lambda test: not test)
    zones: list[str] = Field(default_factory=list, exclude_if=lambda zones: not zones)
    traceparent: str | None = Field(default=None, exclude_if=lambda traceparent: traceparent is None)
    caller_id: str | None = Field(default=None, exclude_if=lambda caller: caller is None)
    purpose: str | None = Field(default=None, exclude_if=lambda purpose: purpose is None)
    exclusions: ExclusionChoice | None = Field(default=None, exclude_if=lambda choice: choice is None)
    opt_out: OptOut | None = Field(default=None, exclude_if=lambda opt_out: opt_out is None)
    approval: ApprovalOrder | None = Field(default=None, exclude_if=lambda order: order is None)
    ignore_contact_limits: bool = Field(default=False, exclude_if=lambda ignore: not ignore)
    sharing: int = Field(default=0, exclude_if=lambda count: not count)

    def seen_by(self, actor: Actor) -> bool:
        """Return whether the actor may see the run: who approves runs sees those that need an approval."""
        return actor.may_see(self.user_id) or (actor.approver and self.approval is not None)

    @property
    def hours_zones(self) -> list[str]:
        """The zones in whose hours subscribers of the run are called."""
        return self.zones or [self.time_zone]


class RunStarted(Message):
    snapshot: RunSnapshot


class WaveStarted(Message):
    """Wave `wave`, from 1, begins; `subscriber_count` subscribers have not been notified so far."""

    run_id: UUID
    wave: int
    subscriber_count: int


class WaveEnded(Message):
    """Every subscriber of the wave has a result; the counts are those of this wave."""

    run_id: UUID
    wave: int
    notified: int
    failed: int


class RunPaused(Message):
    run_id: UUID


class RunResumed(Message):
    run_id: UUID


class RunStationsDown(Message):
    """No station responds: the run waits, and starts no calls."""

    run_id: UUID


class RunStationsUp(Message):
    """The run no longer waits for a station."""

    run_id: UUID


class RunApproved(Message):
    """A second user, `by`, has approved the run: calls may begin."""

    run_id: UUID
    by: str
    comment: str | None = None


class RunRejected(Message):
    """A second user, `by`, has rejected the run: it ends without a call."""

    run_id: UUID
    by: str
    comment: str | None = None


class RunApprovalExpired(Message):
    """No user has decided about the run in time: it ends without a call."""

    run_id: UUID


class RunStopping(Message):
    """No more calls start. The run ends when the current calls have ended."""

    run_id: UUID


class RunEnding(StrEnum):
    """Why a run ended."""

    FINISHED = "FINISHED"
    STOPPED = "STOPPED"
    EXPIRED = "EXPIRED"
    STATION_DOWN = "STATION_DOWN"
    REJECTED = "REJECTED"
    APPROVAL_EXPIRED = "APPROVAL_EXPIRED"


class RunEnded(Message):
    run_id: UUID
    ending: RunEnding


class SubscriberResult(Message):
    """The result of subscriber `no` in `wave`; there is one such event per subscriber and wave.

    `reason` is a kebab-case word of the call classifier, such as `answered` or `busy`. `call_id` and `number`
    identify the deciding call; they are None if no call was made. `members` are the others of the household:
    the result is theirs, too.
    """

    run_id: UUID
    no: int
    wave: int
    notified: bool
    reason: str
    call_id: UUID | None
    number: str | None
    members: list[int] = Field(default_factory=list, exclude_if=lambda members: not members)

    @property
    def nos(self) -> list[int]:
        """All subscribers whose result it is."""
        return [self.no, *self.members]


LifeEvent = (
    RunStarted
    | WaveStarted
    | WaveEnded
    | RunPaused
    | RunResumed
    | RunStationsDown
    | RunStationsUp
    | RunApproved
    | RunRejected
    | RunApprovalExpired
    | RunStopping
    | RunEnded
)
