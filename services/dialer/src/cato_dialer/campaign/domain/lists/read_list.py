"""Read a list of subscribers: validate each of them, and write the list as it is stored."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol
from uuid import UUID

from pydantic import ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails, to_json

from cato_contracts.api.phone_numbers import PhoneError
from cato_contracts.api.resources import Subscriber
from cato_contracts.api.rules.duplicates import ListDuplicates
from cato_contracts.errors import TooLargeError
from cato_contracts.ids import derived_id
from cato_contracts.model import MAX_ATTRIBUTES
from cato_dialer.campaign.domain.lists.duplicates import Duplicates
from cato_dialer.campaign.domain.lists.faults import Faults, UnreadableError
from cato_dialer.campaign.domain.lists.table_rows import Misfit

_TOO_MANY = f"a list has at most {MAX_ATTRIBUTES} different attributes"
_NO_TEXT = "string_unicode"
_HALF = "must be text; a character is half of a pair (a lone surrogate)"


class Rows(Protocol):
    """The subscribers of an uploaded list, with their places."""

    @property
    def what(self) -> str:
        """The word for a place: "subscriber", "line" or "row"."""
        ...

    def column(self, field: str, item: int | None) -> str | None:
        """Return the header of the column of a field, or of the `item` of a field, in the latest row."""
        ...

    def __iter__(self) -> Iterator[tuple[int, Any]]: ...


FIRST = 10
_SHOWN_NAME = 40


@dataclass(frozen=True, slots=True)
class ListReading:
    """What was read: the number of subscribers, valid or not, the first valid ones, and the faults."""

    count: int
    first: list[Subscriber]
    faults: Faults
    duplicates: ListDuplicates


def read_list(rows: Rows, lines: BinaryIO, *, group_id: UUID, limit: int) -> ListReading:
    """Write the list as JSON lines of `Contact` to `lines`. They are incomplete if there are faults.

    The id of a contact is derived from the group, the index in the list, the name and the numbers. The list
    is read one subscriber at a time: a single step for the whole list would block every other thread.

    Raises:
        TooLargeError: if there are more than `limit` subscribers.

    """
    faults = Faults(rows.what)
    found = _Found()
    count = 0
    try:
        for place, fields in rows:
            if count == limit:
                raise TooLargeError(f"a group has at most {limit} subscribers")
            subscriber = _validated(rows, place, fields, faults)
            if subscriber is not None:
                found.add(subscriber, place, faults)
                if not faults.count:
                    lines.write(_line(subscriber, str(group_id), count))
            count += 1
    except UnreadableError as error:
        faults.add(error.place, error.rule, error.message)
    else:
        if count == 0:
            faults.add(None, "nobody", "the list has no subscribers")
    return ListReading(count, found.first, faults, found.duplicates.found())


class _Found:
    """What is noted of the valid subscribers besides their lines."""

    def __init__(self) -> None:
        self.first: list[Subscriber] = []
        self.duplicates = Duplicates()
        self._attributes: set[str] = set()

    def add(self, subscriber: Subscriber, place: int, faults: Faults) -> None:
        self.duplicates.add(subscriber.full_name, subscriber.phones)
        if len(self.first) < FIRST:
            self.first.append(subscriber)
        names = subscriber.attributes.keys() - self._attributes
        if len(self._attributes) + len(names) > MAX_ATTRIBUTES:
            faults.add(place, "too-many-attributes", _TOO_MANY, field="attributes")
        else:
            self._attributes |= names


def _line(subscriber: Subscriber, group: str, index: int) -> bytes:
    # The fields of `Contact` without the model, whose cost is noticeable with 100,000 subscribers.
    contact = {
        "full_name": subscriber.full_name,
        "phones": subscriber.phones,
        "emails": subscriber.emails,
        **({"attributes": subscriber.attributes} if subscriber.attributes else {}),
        **({"time_zone": subscriber.time_zone} if subscriber.time_zone else {}),
        **({"consent": subscriber.consent} if subscriber.consent else {}),
        "id": derived_id(group, index, subscriber.full_name, *subscriber.phones),
    }
    return to_json(contact) + b"\n"


def _validated(rows: Rows, place: int, fields: object, faults: Faults) -> Subscriber | None:
    if isinstance(fields, Misfit):
        faults.add(place, fields.rule, fields.message)
        return None
    try:
        return Subscriber.model_validate(fields)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            _add(faults, rows, place, detail)
    return None


def _add(faults: Faults, rows: Rows, place: int, detail: ErrorDetails) -> None:
    location = detail["loc"]
    if not location:
        no_text = detail["type"] == _NO_TEXT
        message = (
            f"the name of a field {_HALF}"
            if no_text
            else "must be an object with fullName, phones and emails"
        )
        faults.add(place, detail["type"], message)
        return
    field = to_camel(str(location[0]))
    item = next((part for part in location if isinstance(part, int)), None)
    cause = detail.get("ctx", {}).get("error")
    rule = str(cause.rule) if isinstance(cause, PhoneError) else detail["type"]
    message = _HALF if detail["type"] == _NO_TEXT else detail["msg"].removeprefix("Value error, ")
    column = rows.column(field, item)
    if field == "attributes" and len(location) > 1:
        if rows.what == "subscriber":
            message = f"{str(location[1])[:_SHOWN_NAME]!r}: {message}"
        else:
            column = str(location[1])
    faults.add(place, rule, message, field=field, column=column)
