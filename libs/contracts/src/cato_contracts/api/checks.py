"""What a task would do if it were started now; nobody is called."""

from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import Field

from cato_contracts.api.rules.duplicates import ListDuplicates
from cato_contracts.model import Instant, Resource
from cato_contracts.requests import Query

SERVICE = "dialer"


class CheckCode(StrEnum):
    """What a warning of a check is about."""

    NO_CHANNELS = "no-channels"
    NO_STATION = "no-station"
    RUNNING = "running"
    OUT_OF_HOURS = "out-of-hours"
    SOME_OUT_OF_HOURS = "some-out-of-hours"
    NO_TIME_ZONE = "no-time-zone"
    EXPIRED = "expired"
    TOO_SHORT = "too-short"
    SHARED_NUMBERS = "shared-numbers"
    REPEATED_PERSONS = "repeated-persons"
    IMPLAUSIBLE_NUMBERS = "implausible-numbers"
    CALL_TOO_SHORT = "call-too-short"
    AUDIO = "audio"
    NEEDS_APPROVAL = "needs-approval"
    EXCLUDED = "excluded"
    LIMITED = "limited"


class CheckWarning(Resource):
    """Something to look at before the start."""

    code: CheckCode = Field(examples=["shared-numbers"])
    """`no-channels` and `running` would refuse the start, `expired`, too; the others would not."""

    message: str = Field(examples=["3 numbers belong to more than one person"])
    """A sentence about it."""


class ZoneOutOfHours(Resource):
    """Subscribers who may not be called now, by the calling hours of their zone."""

    time_zone: str | None = Field(examples=["Asia/Kolkata"])
    """The zone; null: subscribers without one, who are called while all zones of the list are in hours."""

    subscribers: int = Field(examples=[40])
    """How many subscribers there are."""

    opens_at: Instant | None = Field(default=None, examples=["2024-03-25T03:30:00Z"])
    """When they may be called; null: not in the next days."""


class TaskCheck(Resource):
    """What a task would do if it were started now."""

    subscribers: int = Field(examples=[120])
    """The people who would be called; a person in several groups counts once."""

    numbers: int = Field(examples=[131])
    """Their different numbers."""

    duplicates: ListDuplicates = Field(
        default_factory=ListDuplicates, examples=[{"persons": 2, "numbers": 3}]
    )
    """Entries that are left out as repeated, and numbers of more than one person."""

    implausible_numbers: int = Field(examples=[0])
    """Numbers with a `+` that no network has: fewer than seven digits, or a country code with a leading 0."""

    excluded: int = Field(default=0, examples=[2])
    """Subscribers who are not called as things are: all their numbers are on exclusion lists."""

    limited: int | None = Field(default=0, examples=[5])
    """Subscribers who cannot be called now: their numbers that are not excluded have had their calls, or must
    wait, by limits of contacts; null: too many numbers have been called lately to count them."""

    channels: int = Field(examples=[30])
    """The simultaneous calls that the license and the stations allow."""

    stations_up: int = Field(examples=[1])
    """The stations that respond, of those with channels."""

    message_ms: int = Field(examples=[6400])
    """The length of everything that is played in a call, in milliseconds."""

    may_call_now: bool = Field(examples=[True])
    """Whether the calling hours allow a call to somebody now."""

    next_change_at: Instant | None = Field(default=None, examples=["2024-03-24T15:30:00Z"])
    """When that changes; null: never."""

    out_of_hours: list[ZoneOutOfHours] = Field(
        default_factory=list,
        examples=[[{"timeZone": "Asia/Kolkata", "subscribers": 40, "opensAt": "2024-03-25T03:30:00Z"}]],
    )
    """Subscribers who may not be called now, by zone: with `localTime` by their own, else by that of the
    settings."""

    without_time_zone: int = Field(default=0, examples=[0])
    """Subscribers who are never called: no zone is known, and the settings say `SKIP`."""

    shortest_s: int | None = Field(examples=[26])
    """The least duration, in seconds: everyone answers at once and hears everything; null: no channels."""

    longest_s: int | None = Field(examples=[1860])
    """The greatest duration within the calling hours, in seconds: nobody answers, every number rings for its
    time in every wave. Calling hours and other executions are not considered; null: no channels."""

    warnings: list[CheckWarning] = Field(default_factory=list, examples=[[]])
    """What to look at before the start."""


class CheckTask(Query[TaskCheck]):
    """Say what a task would do if it were started now."""

    service: ClassVar[str] = SERVICE
    id: UUID
