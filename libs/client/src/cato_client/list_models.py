"""What the API says about an uploaded list."""

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
