"""Parameters and kinds of fields that several resources have."""

from datetime import MINYEAR, UTC, datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from fastapi import Path, Query
from pydantic import AfterValidator, PlainSerializer

from cato_contracts.errors import InvalidError
from cato_contracts.model import Instant

_CONTROL = 0x20
_DELETE = 0x7F
_NAME_LENGTH = 200
_FIRST, _LAST = datetime.min, datetime.max  # noqa: DTZ901 - as UTC
_FROM, _TILL = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
_NOT_IN_NAMES = r"/\\\u0000-\u001f\u007f\ufffd"
_NAME_PATTERN = rf"^[^{_NOT_IN_NAMES}]*[^{_NOT_IN_NAMES}\s][^{_NOT_IN_NAMES}]*$"

Limit = Annotated[int, Query(ge=1, le=1000, description="At most so many items.")]
Cursor = Annotated[
    str | None,
    Query(max_length=2000, description="`nextCursor` of the page before; absent or empty: the first page."),
    AfterValidator(lambda cursor: cursor or None),
]
NamePart = Annotated[
    str | None, Query(max_length=200, description="Only resources whose name has this in it, in any case.")
]


class ReadFormat(StrEnum):
    """The format of a list: pages of JSON, or one file."""

    JSON = "json"
    CSV = "csv"
    XLSX = "xlsx"


def _checked_name(name: str) -> str:
    broken = any(ord(char) < _CONTROL or ord(char) == _DELETE or char in "/\\\ufffd" for char in name)
    if not name.strip() or len(name) > _NAME_LENGTH or broken:
        raise InvalidError(
            f"the name in the address should have 1 to {_NAME_LENGTH} characters, not only blanks,"
            " without slashes, backslashes and control characters"
        )
    return name


NameInAddress = Annotated[
    str,
    Path(
        description="The name to keep it under.",
        json_schema_extra={"minLength": 1, "maxLength": _NAME_LENGTH, "pattern": _NAME_PATTERN},
    ),
    AfterValidator(_checked_name),
]


def _utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError:  # stored by an earlier version: the calendar ends before the offset is taken off
        return (_FIRST if at.year == MINYEAR else _LAST).replace(tzinfo=UTC)


UtcInstant = Annotated[Instant, PlainSerializer(_utc, return_type=datetime, when_used="json-unless-none")]


def check_time(at: datetime | None) -> datetime | None:
    """Check that a time is one for which calls can be planned, in every zone.

    Raises:
        ValueError: if it is not from 1970 to 2199.

    """
    if at is not None and not _FROM <= at < _TILL:
        msg = f"should be a time from 1970 to 2199, not {at.isoformat()}"
        raise ValueError(msg)
    return at


def check_id(sent: UUID | None, addressed: UUID) -> None:
    """Check that a replacement is for the resource that it is sent to.

    Raises:
        InvalidError: if the body names another resource.

    """
    if sent is not None and sent != addressed:
        raise InvalidError(f"id should be {addressed} as in the address, not {sent}", resource_id=str(sent))
