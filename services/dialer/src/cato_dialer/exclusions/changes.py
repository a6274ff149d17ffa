"""What happens to exclusion lists, as the log has it."""

from dataclasses import dataclass
from uuid import UUID

from cato_contracts.objects import ObjectRef
from cato_dialer.exclusions.number_set import Entry


@dataclass(frozen=True, slots=True)
class ListAdded:
    """A list with numbers: a `NumberSet` in the object store. `system`: it is for all users."""

    list_id: UUID
    user_id: str
    system: bool
    numbers: ObjectRef


@dataclass(frozen=True, slots=True)
class NumberPut:
    list_id: UUID
    entry: Entry


@dataclass(frozen=True, slots=True)
class NumberDropped:
    list_id: UUID
    number: str


@dataclass(frozen=True, slots=True)
class ListRemoved:
    list_id: UUID


Change = ListAdded | NumberPut | NumberDropped | ListRemoved
