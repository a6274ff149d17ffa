"""SIP traces: the messages that dialers exchange with a station, or about a number, for a bounded time."""

from enum import StrEnum
from typing import Annotated, Any, ClassVar, Self
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from cato_contracts.api.examples import STATION_ID
from cato_contracts.api.phone_numbers import PHONE_SCHEMA, normalised_phone
from cato_contracts.api.resources import Page
from cato_contracts.model import Frozen, Instant, Name, Resource
from cato_contracts.requests import Command, Query

SERVICE = "dialer"
MAX_TRACES = 10
MAX_TRACE_S = 3_600
MAX_MESSAGES = 10_000
MAX_TRACE_BYTES = 20_000_000
"""The most that one dialer records for a trace."""


class TraceFormat(StrEnum):
    """The form of the file."""

    TEXT = "TEXT"
    """Each message as text, under a line with its time and addresses."""
    PCAP = "PCAP"
    """Packets, which Wireshark reads; messages over TCP and TLS are shown as datagrams."""


class TraceState(StrEnum):
    """Whether messages are recorded."""

    RUNNING = "RUNNING"
    ENDED = "ENDED"


def _station_or_number(schema: dict[str, Any]) -> None:
    names = [name for name in schema["properties"] if name in _SELECTORS]
    schema["anyOf"] = [{"required": [name], "properties": {name: {"type": "string"}}} for name in names]


_SELECTORS = frozenset({"stationId", "number", "station_id"})


class TraceOrder(Resource):
    """What is recorded, and for how long. A station or a number is given; with both, both must match."""

    model_config = ConfigDict(json_schema_extra=_station_or_number)

    station_id: UUID | None = Field(default=None, examples=[STATION_ID])
    """The station whose messages are recorded: those of calls, registrations and all others."""

    number: Annotated[str, Field(json_schema_extra=PHONE_SCHEMA), AfterValidator(normalised_phone)] | None = (
        Field(default=None, examples=["+73437200041"])
    )
    """The number whose calls are recorded, in any of its forms."""

    for_s: int = Field(ge=1, le=MAX_TRACE_S, examples=[600])
    """For how many seconds messages are recorded."""

    format: TraceFormat = Field(default=TraceFormat.TEXT, examples=["TEXT"])
    """The form of the file: `TEXT` or `PCAP`."""

    masked: bool = Field(default=True, examples=[True])
    """Whether numbers, names and keys are replaced by `x` before they are stored."""

    @model_validator(mode="after")
    def _selects_something(self) -> Self:
        if self.station_id is None and self.number is None:
            msg = "should have stationId, number or both"
            raise ValueError(msg)
        return self


class StoredTrace(TraceOrder):
    """A trace as dialers follow it."""

    id: UUID = Field(examples=["5f0a3c4e-9f58-4c39-8f4b-6d5a0a1b7f10"])
    """Under which its messages are stored: a trace that replaces another one of its name has a new one."""

    name: Name = Field(examples=["trouble-at-nine"])
    """The name that it is kept under."""

    began_at: Instant = Field(examples=["2024-03-24T07:45:11.695Z"])
    """When it was ordered; dialers follow within seconds."""

    ends_at: Instant = Field(examples=["2024-03-24T07:55:11.695Z"])
    """When it ends by itself."""


class SipTrace(StoredTrace):
    """A SIP trace, and what has been recorded so far."""

    state: TraceState = Field(examples=["RUNNING"])
    """`RUNNING`, or `ENDED` when its time has passed."""

    messages: int = Field(examples=[42])
    """The messages that are stored."""

    cut: bool = Field(examples=[False])
    """Whether a dialer has recorded as much as it may, so that later messages are missing."""


class TracedMessage(Frozen):
    """A SIP message. `text` has a character for each byte (ISO 8859-1); addresses are `host:port`."""

    at_us: int
    """Unix time in microseconds."""
    sent: bool
    transport: str
    local: str
    remote: str
    text: str


class TraceBatch(Frozen):
    """What a dialer has recorded since its last batch, in the stream `SIP_TRACES`.

    `recorded` counts its messages of the trace so far, these included.
    """

    dialer: str
    messages: list[TracedMessage]
    recorded: int
    cut: bool = False


class PutSipTrace(Command[SipTrace]):
    """Start a trace, in place of the one with its name. For administrators only."""

    service: ClassVar[str] = SERVICE
    name: Name
    order: TraceOrder


class RemoveSipTrace(Command[None]):
    """End a trace and remove what it has recorded. For administrators only."""

    service: ClassVar[str] = SERVICE
    name: str


class GetSipTrace(Query[SipTrace]):
    """Return the trace with a name. For administrators only."""

    service: ClassVar[str] = SERVICE
    name: str


class ListSipTraces(Query[Page[SipTrace]]):
    """Return all traces, by name. There is one page. For administrators only."""

    service: ClassVar[str] = SERVICE
