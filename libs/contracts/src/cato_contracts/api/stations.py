"""The stations as clients see them."""

from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import Field

from cato_contracts.api.examples import STATION_ID
from cato_contracts.api.reasons import ReasonWord
from cato_contracts.api.resources import Page
from cato_contracts.model import Instant, Resource
from cato_contracts.requests import Query

SERVICE = "dialer"


class StationState(StrEnum):
    """Whether a station responds."""

    UP = "UP"
    """It has responded to the last request."""
    DOWN = "DOWN"
    """It does not respond to any dialer. No call is started through it."""
    RESTING = "RESTING"
    """It responds, and has asked for a pause (`Retry-After`). No call is started through it until then."""
    UNKNOWN = "UNKNOWN"
    """No request has shown yet whether it responds, or no dialer is running."""


class StationFailure(Resource):
    """A request that a station did not carry out."""

    at: Instant = Field(examples=["2024-03-24T08:31:05Z"])
    """When it was noticed."""

    reason: ReasonWord = Field(examples=["options-unanswered"])
    """The reason of the call, `options-unanswered` or `registration-failed`."""

    sip_code: int | None = Field(default=None, examples=[503])
    """The code of the station's response; null: it did not respond."""

    text: str | None = Field(default=None, examples=["Service Unavailable"])
    """More about it: the phrase of the response, or an error; null: nothing is known."""


class StationView(Resource):
    """A configured station, as all running dialers see it together."""

    id: UUID = Field(examples=[STATION_ID])
    """Its id in calls and reports (`csId`, `stationId`)."""

    name: str = Field(examples=["main"])
    """Its name in the configuration."""

    engine: str = Field(examples=["dense"])
    """The SIP engine that makes its calls: `dense` or `pjsua2`."""

    state: StationState = Field(examples=["UP"])
    """Whether it responds."""

    since: Instant | None = Field(default=None, examples=["2024-03-24T08:30:00Z"])
    """Since when it is in this state, as far as the running dialers know; null: unknown."""

    resting_until: Instant | None = Field(default=None, examples=[None])
    """When it may be called again; null: it is not `RESTING`."""

    last_failure: StationFailure | None = Field(default=None, examples=[None])
    """The latest failure, which may be over; null: none since the dialers were started."""

    registered: bool | None = Field(default=None, examples=[None])
    """Whether a dialer is registered with it; null: it does not ask for a registration."""

    channels: int = Field(examples=[30])
    """The limit of simultaneous calls, over all dialers."""

    channels_in_use: int = Field(examples=[2])
    """The channels that calls use now, over all dialers."""

    caller_ids: list[str] = Field(default_factory=list, examples=[["7764"]])
    """The caller ids that tasks may name (`callerId`), beside the station's own."""

    dialers: int = Field(examples=[2])
    """The running dialers that use the station."""


class ListStations(Query[Page[StationView]]):
    """All stations, in the order of the configuration."""

    service: ClassVar[str] = SERVICE
