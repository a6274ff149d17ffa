"""Exclusion lists: numbers that are not called."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field

from cato_contracts.api.resources import Phone, Versioned
from cato_contracts.model import ENCODABLE, Frozen, Instant, Resource

MAX_REASON = 200
_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


class ExclusionScope(StrEnum):
    """Whose calls a list concerns."""

    USER = "USER"
    """Those of the list's user."""
    SYSTEM = "SYSTEM"
    """Those of all users."""


def _not_blank(text: str | None) -> str | None:
    return text if text and text.strip() else None


def _plannable(at: datetime | None) -> datetime | None:
    if at is not None and not _FIRST <= at < _LAST:
        msg = f"should be a time from 1970 to 2199, not {at.isoformat()}"
        raise ValueError(msg)
    return at


_ReasonText = Annotated[str, Field(max_length=MAX_REASON), ENCODABLE]


class ExclusionNote(Resource):
    """Why a number is excluded, and until when."""

    reason: Annotated[_ReasonText | None, AfterValidator(_not_blank)] = Field(
        default=None, examples=["asked not to be called"]
    )
    """Why the number is excluded, in the user's words; it is given back, and not used."""

    expires_at: Annotated[Instant | None, AfterValidator(_plannable)] = Field(
        default=None, examples=["2027-05-09T00:00:00Z"]
    )
    """From this time on the number may be called again; absent: never."""


class Exclusion(ExclusionNote):
    """A number that is not called."""

    number: Phone = Field(examples=["776429"])
    """The telephone number. All its forms are excluded, national and international."""


class ExcludedNumber(ExclusionNote):
    """A number of a list."""

    number: str = Field(examples=["+73437200041"])
    """The number, in the one form that all its forms are compared by."""

    call_id: UUID | None = Field(default=None, exclude_if=lambda call_id: call_id is None)
    """The call in which the person asked for it."""


class ExclusionList(Versioned):
    """A stored exclusion list."""

    id: UUID
    name: str
    user_id: str
    scope: ExclusionScope
    number_count: int
    created_at: Instant


class ExclusionChoice(Frozen):
    """The lists that a run heeds: those of the system, and of the user's all, or some.

    `ignore`: none at all.
    """

    user_id: str
    lists: list[UUID] | None = Field(default=None, exclude_if=lambda lists: lists is None)
    ignore: bool = Field(default=False, exclude_if=lambda ignore: not ignore)
