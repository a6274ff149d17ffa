"""The subscribers of a run as a list: pages, with a search."""

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from cato_contracts.api.exports import SubscriberRecord
from cato_contracts.api.resources import Page
from cato_contracts.api.status import SERVICE, SubscriberFilter
from cato_contracts.requests import Query


class ListRunSubscribers(Query[Page[SubscriberRecord]]):
    """Subscribers of a run in the order of the list, those that meet every condition.

    `name`: every word of it is in the name, in any case. `number`: one of the person's numbers, in any of its
    forms. `reason`: that of the latest result.
    """

    service: ClassVar[str] = SERVICE
    run_id: UUID
    filter: SubscriberFilter = SubscriberFilter.ALL
    name: str | None = None
    number: str | None = None
    reason: str | None = None
    limit: int = Field(default=100, ge=1, le=1000)
    cursor: str | None = None
