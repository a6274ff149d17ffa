"""The numbers of an execution that do not exist, by the answers to their last calls."""

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from cato_contracts.api.examples import SUBSCRIBER_ID
from cato_contracts.api.reasons import ReasonWord
from cato_contracts.api.resources import Page
from cato_contracts.api.status import SERVICE
from cato_contracts.model import Instant, Resource
from cato_contracts.requests import Query


class InvalidNumber(Resource):
    """A number whose last call in an execution says that it does not exist (404, 410, 484, 604)."""

    number: str = Field(examples=["776429"])
    """The number that was called."""

    subscriber_id: UUID | None = Field(examples=[SUBSCRIBER_ID])
    """The subscriber; null: the list of the execution is no longer kept."""

    full_name: str = Field(examples=["Ivan Potapov"])
    """The subscriber's name; empty: no longer kept."""

    reason: ReasonWord = Field(examples=["not-found"])
    """The reason of the call, as a kebab-case word."""

    sip_code: int | None = Field(examples=[404])
    """The final SIP response."""

    called_at: Instant = Field(examples=["2024-03-24T07:45:11.695Z"])
    """When the call started."""


class ListInvalidNumbers(Query[Page[InvalidNumber]]):
    """The invalid numbers of a run, in the order of the list."""

    service: ClassVar[str] = SERVICE
    run_id: UUID
    limit: int = Field(default=100, ge=1, le=1000)
    cursor: str | None = None
