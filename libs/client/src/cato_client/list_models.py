"""What the API says about a list before it is stored, and about a task before it is started."""

from datetime import datetime

from pydantic import Field

from cato_client.models import Model, Person


class ListDuplicates(Model):
    """What occurs more than once in a list: subscribers, and numbers of more than one person."""

    persons: int = 0
    numbers: int = 0


class ListFault(Model):
    """A fault of a list: `index` in JSON from 0, or `row` of a table from 1."""

    index: int | None = None
    row: int | None = None
    field: str | None = None
    column: str | None = None
    rule: str
    message: str


class ListColumn(Model):
    """A column of a table, and what it is taken for."""

    header: str
    meaning: str


class ListCheck(Model):
    """What an uploaded list would be stored as; with faults it would be rejected."""

    subscriber_count: int
    charset: str | None = None
    columns: list[ListColumn] = Field(default_factory=list)
    subscribers: list[Person] = Field(default_factory=list)
    faults: list[ListFault] = Field(default_factory=list)
    fault_count: int = 0
    duplicates: ListDuplicates = Field(default_factory=ListDuplicates)


class CheckWarning(Model):
    """Something to look at before the start of a task."""

    code: str
    message: str


class ZoneOutOfHours(Model):
    """Subscribers who may not be called now; `time_zone` is None for those who need all zones in hours."""

    time_zone: str | None
    subscribers: int
    opens_at: datetime | None = None


class TaskCheck(Model):
    """What a task would do if it were started now; durations in seconds, None without channels."""

    subscribers: int
    numbers: int
    duplicates: ListDuplicates = Field(default_factory=ListDuplicates)
    implausible_numbers: int
    excluded: int = 0
    limited: int | None = 0
    channels: int
    stations_up: int
    message_ms: int
    may_call_now: bool
    next_change_at: datetime | None = None
    out_of_hours: list[ZoneOutOfHours] = Field(default_factory=list)
    without_time_zone: int = 0
    shortest_s: int | None
    longest_s: int | None
    warnings: list[CheckWarning] = Field(default_factory=list)
