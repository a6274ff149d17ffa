"""The requests to the campaign role of the dialer about exclusion lists."""

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from cato_contracts.api.resources import Page
from cato_contracts.api.rules.exclusions import ExcludedNumber, Exclusion, ExclusionList, ExclusionScope
from cato_contracts.messages.campaign_commands import SERVICE, Conditional, ListFormat
from cato_contracts.objects import ObjectRef
from cato_contracts.requests import Command, Query


class AddExclusionList(Command[ExclusionList]):
    """Store the numbers in `upload` as a list: all of them, or nothing if one is invalid.

    The answer is given when no dialer starts a call to one of them any more.
    """

    service: ClassVar[str] = SERVICE
    name: str
    scope: ExclusionScope
    format: ListFormat
    upload: ObjectRef
    charset: str | None = None


class RemoveExclusionList(Conditional, Command[None]):
    service: ClassVar[str] = SERVICE
    id: UUID


class GetExclusionList(Query[ExclusionList]):
    service: ClassVar[str] = SERVICE
    id: UUID


class ListExclusionLists(Query[Page[ExclusionList]]):
    service: ClassVar[str] = SERVICE
    name: str | None = None
    limit: int = Field(default=100, ge=1, le=1000)
    cursor: str | None = None


class ListExcludedNumbers(Query[Page[ExcludedNumber]]):
    service: ClassVar[str] = SERVICE
    id: UUID
    limit: int = Field(default=100, ge=1, le=1000)
    cursor: str | None = None


class GetExcludedNumber(Query[ExcludedNumber]):
    """The entry of a number, in any of its forms."""

    service: ClassVar[str] = SERVICE
    id: UUID
    number: str


class ExcludeNumber(Conditional, Command[ExcludedNumber]):
    """Put a number on a list, or change its entry.

    The answer is given when no dialer starts a call to it any more. `call_id` is the call in which the person
    asked for it.
    """

    service: ClassVar[str] = SERVICE
    id: UUID
    exclusion: Exclusion
    call_id: UUID | None = None


class ReadmitNumber(Conditional, Command[None]):
    """Take a number off a list."""

    service: ClassVar[str] = SERVICE
    id: UUID
    number: str
