"""The base classes of the resources, and the words that the API uses."""

from typing import Generic, Literal, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

T = TypeVar("T")

SuccessCondition = Literal[
    "PICKUP_PHONE", "PICKUP_AND_LISTEN_SOME", "PICKUP_AND_LISTEN_FULL", "PICKUP_AND_CONFIRM"
]
CallOutcome = Literal["ringing", "talking", "succeeded", "failed"]
SubscriberFilter = Literal["all", "failed", "unreached", "none"]
TimeGrouping = Literal["minute", "hour", "day", "hourOfDay", "weekday"]
Grouping = (
    TimeGrouping | Literal["wave", "attempt", "task", "station", "outcome", "sipCode", "reason", "prefix"]
)
ExportFormat = Literal["csv", "jsonl", "parquet", "xlsx"]
ExportDialect = Literal["standard", "excel"]
ListFileFormat = Literal["csv", "xlsx"]


class Model(BaseModel):
    """JSON names are in camelCase, attributes in snake_case; both are accepted."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)


class Page(Model, Generic[T]):
    """One page of a collection; `next_cursor` is None on the last page."""

    items: list[T]
    next_cursor: str | None = None


class Resource(Model):
    """A stored resource. `etag` is its version; it is None in lists."""

    id: UUID
    name: str
    user_id: str
    etag: str | None = Field(default=None, exclude=True)
