"""Read the numbers of an exclusion list: a JSON array of objects, or a table with a header."""

import csv
import io
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from cato_contracts.api.phone_numbers import PhoneError
from cato_contracts.api.rules.exclusions import Exclusion
from cato_contracts.errors import InvalidListError, TooLargeError
from cato_contracts.messages.campaign_commands import ListFormat
from cato_dialer.campaign.domain.lists.charset import decoded
from cato_dialer.campaign.domain.lists.faults import Faults, UnreadableError
from cato_dialer.campaign.domain.lists.json_rows import JsonRows
from cato_dialer.exclusions.number_set import Entry, NumberSet

_EXCLUSION = TypeAdapter(Exclusion)
_DELIMITERS = ",;\t"
_FIELDS = {"number": "number", "phone": "number", "reason": "reason", "expiresat": "expiresAt"}


def read_exclusions(
    content: bytes,
    form: ListFormat,
    charset: str | None,
    *,
    limit: int,
    canonical: Callable[[str], str],
) -> NumberSet:
    """Return the numbers, in the form by which they are compared; of several entries the last one counts.

    Raises:
        InvalidError: if the bytes are not in the charset.
        InvalidListError: with all faults, if there are any.
        TooLargeError: if there are more than `limit` numbers.

    """
    text, _ = decoded(content, charset)
    what = "entry" if form is ListFormat.JSON else "line"
    # A place in JSON is counted as that of a subscriber is.
    faults = Faults("subscriber" if form is ListFormat.JSON else what)

    def entries() -> Iterator[Entry]:
        count = 0
        for place, fields in JsonRows(text) if form is ListFormat.JSON else _table(text):
            count += 1
            if count > limit:
                raise TooLargeError(
                    f"an exclusion list has at most {limit} numbers (limits.exclusionListSize)"
                )
            try:
                entry = _EXCLUSION.validate_python(fields)
            except ValidationError as error:
                for detail in error.errors(include_url=False):
                    cause = detail.get("ctx", {}).get("error")
                    faults.add(
                        place,
                        str(cause.rule) if isinstance(cause, PhoneError) else detail["type"],
                        detail["msg"].removeprefix("Value error, "),
                        field=to_camel(str(detail["loc"][0])) if detail["loc"] else None,
                    )
                continue
            if not faults.count:
                yield entry_of(entry, canonical(entry.number))

    try:
        found = NumberSet.of(entries())
    except UnreadableError as error:
        faults.add(error.place, error.rule, error.message)
    if faults.count:
        first = faults.shown[0]
        place = first.row if first.index is None else first.index
        where = f"{what} {place}: " if place is not None else ""
        field = f"{first.field}: " if first.field is not None else ""
        more = f" (and {faults.count - 1} more faults)" if faults.count > 1 else ""
        raise InvalidListError(
            f"{where}{field}{first.message}{more}", faults=faults.shown, fault_count=faults.count
        )
    return found


def entry_of(exclusion: Exclusion, canonical: str) -> Entry:
    """Return the entry of a number that a client excludes."""
    expires = exclusion.expires_at
    return Entry(canonical, exclusion.reason, None if expires is None else unix_s(expires))


def unix_s(at: datetime) -> int:
    """Return a time in whole seconds, at least 1: 0 means for ever."""
    return max(1, int(at.timestamp()))


def _table(text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    first = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = [_FIELDS.get(cell.strip().replace("_", "").lower()) for cell in next(reader, [])]
        if "number" not in header:
            raise UnreadableError(
                1, "no-header", "the header should have number, and may have reason, expiresAt"
            )
        for row in reader:
            if any(cell.strip() for cell in row):
                cells = zip(header, row, strict=False)
                yield reader.line_num, {name: cell.strip() for name, cell in cells if name and cell.strip()}
    except csv.Error as error:
        raise UnreadableError(reader.line_num, "broken-csv", str(error)) from error
