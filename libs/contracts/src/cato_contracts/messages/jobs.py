"""The jobs of the dial role, one per subscriber and wave, and the state of the runs that they belong to."""

from enum import StrEnum
from uuid import UUID

from pydantic import Field

from cato_contracts.api.resources import NotificationSettings
from cato_contracts.api.rules.exclusions import ExclusionChoice
from cato_contracts.envelope import Message
from cato_contracts.messages.runs import Prompt, RunSubscriber
from cato_contracts.model import Frozen, Instant


class DialJob(Message):
    """Reach this subscriber in this wave. The job contains everything that a dial replica needs.

    `task_id` is for the limits of contacts; a `test` call is neither counted nor limited by them, calls with
    `ignore_contact_limits` are counted.
    A call must be in the calling hours of each of `zones`; without any, of `time_zone`. Without
    `exclusions`, all exclusion lists of the settings' user count, and in any case those of the system.
    `opt_out_prompt` is played after `opt_out_key` of the settings.
    """

    run_id: UUID
    wave: int
    subscriber: RunSubscriber
    settings: NotificationSettings
    time_zone: str
    prompt: Prompt
    priority: int
    expires_at: Instant | None
    zones: list[str] = Field(default_factory=list, exclude_if=lambda zones: not zones)
    caller_id: str | None = Field(default=None, exclude_if=lambda caller: caller is None)
    exclusions: ExclusionChoice | None = Field(default=None, exclude_if=lambda choice: choice is None)
    opt_out_prompt: Prompt | None = Field(default=None, exclude_if=lambda prompt: prompt is None)
    task_id: UUID | None = Field(default=None, exclude_if=lambda task: task is None)
    test: bool = Field(default=False, exclude_if=lambda test: not test)
    ignore_contact_limits: bool = Field(default=False, exclude_if=lambda ignore: not ignore)

    @property
    def user_id(self) -> str:
        """The user whose task it is."""
        return self.settings.user_id if self.exclusions is None else self.exclusions.user_id

    @property
    def hours_zones(self) -> list[str]:
        return self.zones or [self.time_zone]


class RunMode(StrEnum):
    """The operations that dial replicas may carry out for a run."""

    CALLING = "CALLING"
    PAUSED = "PAUSED"
    STOPPING = "STOPPING"


class RunDispatchState(Frozen):
    """A run that dial replicas take jobs of, in the `runs` bucket under the run's id."""

    run_id: UUID
    priority: int
    mode: RunMode
    hangup: bool = False
