"""The subscribers of a run in pages; exports of calls and of subscribers as files, fetched piece by piece."""

from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import Base64UrlBytes, Field

from cato_contracts.api.examples import SUBSCRIBER_ID
from cato_contracts.api.history import CallFilter
from cato_contracts.api.resources import Page
from cato_contracts.api.rules.households import Household, SharedWith
from cato_contracts.api.status import SERVICE, SubscriberFilter
from cato_contracts.model import Frozen, Instant, Resource
from cato_contracts.requests import Command, Query


class ExportFormat(StrEnum):
    """The format of an export."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"
    XLSX = "xlsx"


class ExportDialect(StrEnum):
    """The dialect of CSV.

    `standard`: RFC 4180 in UTF-8, times in UTC. `excel`: with a byte order mark, `;` between columns, local
    times, and numbers as text.
    """

    STANDARD = "standard"
    EXCEL = "excel"


class SubscriberRecord(Resource):
    """A subscriber of an execution in an export."""

    subscriber_id: UUID = Field(examples=[SUBSCRIBER_ID])
    """The subscriber."""

    full_name: str = Field(examples=["Ivan Potapov"])
    """The person's name."""

    phones: list[str] = Field(examples=[["776429"]])
    """Numbers in the order in which they are called."""

    emails: list[str] = Field(examples=[[]])
    """E-mail addresses."""

    attributes: dict[str, str] = Field(default_factory=dict, examples=[{"Address": "12 High St"}])
    """Further facts about the person, from the list; JSON text in formats other than JSON."""

    notified: bool = Field(examples=[False])
    """Whether the subscriber was reached."""

    reason: str | None = Field(examples=["busy"])
    """The reason of the latest result, as a kebab-case word; null: there is no result."""

    wave: int | None = Field(examples=[2])
    """The wave of that result, from 1; null: there is no result."""

    number: str | None = Field(examples=["776429"])
    """The number of that result's call; null: there is none."""

    calls: int = Field(examples=[2])
    """Calls to the subscriber, with the calls that are shared; 0: never called."""

    last_call_at: Instant | None = Field(examples=["2024-03-24T07:45:11.695Z"])
    """When the latest call started; null: never called."""

    consent: str | None = Field(
        default=None,
        exclude_if=lambda consent: consent is None,
        examples=["Signed form of 2024-02-11, town hall"],
    )
    """Evidence that the person agreed to be called, from the list; absent in JSON if there is none."""

    household: Household = None
    """The first of the subscribers who share their calls, the same for all of them; absent in JSON: none."""

    shared_with: SharedWith = Field(default_factory=list)
    """The names of the others who share the calls (`sharePhone`); absent in JSON if there are none."""


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


class Export(Frozen):
    """An open export."""

    id: UUID


class BeginCallExport(Command[Export]):
    """Open an export of calls, the earliest start first, with the columns of `CallRecord`."""

    service: ClassVar[str] = SERVICE
    where: CallFilter = CallFilter()
    format: ExportFormat
    dialect: ExportDialect = Field(
        default=ExportDialect.STANDARD, exclude_if=lambda dialect: dialect is ExportDialect.STANDARD
    )
    time_zone: str | None = Field(default=None, exclude_if=lambda zone: zone is None)
    """The zone of local times, an IANA name; None is the configured zone."""


class BeginSubscriberExport(Command[Export]):
    """Open an export of a run's subscribers in the order of the list, as `SubscriberRecord`."""

    service: ClassVar[str] = SERVICE
    run_id: UUID
    filter: SubscriberFilter = SubscriberFilter.ALL
    format: ExportFormat
    dialect: ExportDialect = ExportDialect.STANDARD
    time_zone: str | None = None
    """The zone of local times, an IANA name; None is the configured zone."""


class ExportPiece(Frozen):
    """The next bytes of an export, at most 512 KiB; `last` marks the last piece.

    A piece that is not the last may be short or empty. `data` is decoded on validation: to make a piece from
    bytes, use `model_construct`.
    """

    data: Base64UrlBytes
    last: bool


class TakeExportPiece(Command[ExportPiece]):
    """Take the piece with index `place`, from 0; it can be repeated until the next piece is taken.

    An export ends after a minute without a request, when the service restarts, and when its tables are
    exchanged.
    """

    service: ClassVar[str] = SERVICE
    id: UUID
    place: int = Field(ge=0)


class EndCallExport(Command[None]):
    """Close an export before its end."""

    service: ClassVar[str] = SERVICE
    id: UUID
