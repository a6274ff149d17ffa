"""The conditions on calls, as parameters of a request."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query
from pydantic import AwareDatetime, BeforeValidator, Field, ValidationError, WrapValidator

from cato_contracts.api.history import CallFilter, CallOutcome
from cato_contracts.api.phone_numbers import PHONE_SCHEMA, normalised_phone
from cato_contracts.errors import InvalidError

_EXAMPLE_TIME = "2024-03-24T08:30:00Z"
_DATE_FIRST = re.compile(r"\d{4}-\d\d-\d\dT", re.IGNORECASE)
_LOST_PLUS_OF_ZONE = re.compile(r" (?=\d\d:?\d\d$)")
_LOST_PLUS_OF_NUMBER = re.compile(r" (?=\d[\d ()\t-]*$)")


def _instant(text: str, parse: Callable[[str], AwareDatetime]) -> AwareDatetime:
    """Read a time. A blank before the offset is a + that was not encoded as %2B in the URL."""
    try:
        if _DATE_FIRST.match(text):  # pydantic would read a number as Unix time
            return parse(_LOST_PLUS_OF_ZONE.sub("+", text))
    except ValidationError:
        pass
    msg = f"should be an ISO 8601 time with its zone, such as {_EXAMPLE_TIME}, not {text[:60]!r}"
    raise ValueError(msg)


def _number(text: str) -> str:
    return normalised_phone(_LOST_PLUS_OF_NUMBER.sub("+", text) if text.startswith(" ") else text)


_Time = Annotated[AwareDatetime, WrapValidator(_instant, json_schema_input_type=datetime)]
Words = Annotated[str, Field(pattern=r"\S")]
PhoneNumber = Annotated[str, BeforeValidator(_number), Field(json_schema_extra={**PHONE_SCHEMA})]


async def _call_filter(  # noqa: PLR0917 - parameters of the request
    since: Annotated[
        _Time | None,
        Query(
            alias="from",
            description="Calls started at this time or later, ISO 8601 with a zone.",
            openapi_examples={"midnight": {"value": "2024-03-24T00:00:00+03:00"}},
        ),
    ] = None,
    until: Annotated[
        _Time | None,
        Query(
            alias="to",
            description="Calls started before this time, ISO 8601 with a zone.",
            openapi_examples={"midnight": {"value": "2024-03-25T00:00:00+03:00"}},
        ),
    ] = None,
    number: Annotated[
        PhoneNumber | None,
        Query(
            description=(
                "Calls to this number, however it is written: with or without punctuation, in the national"
                " or the international form."
            ),
            openapi_examples={"short": {"value": "776429"}},
        ),
    ] = None,
    name: Annotated[
        Words | None,
        Query(
            max_length=200,
            description="Calls to subscribers whose name has every word of this in it, in any case.",
            openapi_examples={"surname": {"value": "potapov"}},
        ),
    ] = None,
    run_id: Annotated[UUID | None, Query(alias="taskExecId", description="Calls of this execution.")] = None,
    station_id: Annotated[
        UUID | None, Query(alias="stationId", description="Calls through this station.")
    ] = None,
    outcome: Annotated[CallOutcome | None, Query(description="Calls that stand so, or ended so.")] = None,
    sip_call_id: Annotated[
        str | None,
        Query(
            alias="sipCallId",
            min_length=1,
            max_length=300,
            description="The call of this SIP `Call-ID`, as in the logs of the station.",
        ),
    ] = None,
) -> CallFilter:
    """Return the conditions of a request.

    Raises:
        InvalidError: if no call can meet them.

    """
    if since is not None and until is not None and since >= until:
        raise InvalidError(f"to should be later than from, not {until.isoformat()}")
    return CallFilter(
        since=since,
        until=until,
        number=number,
        name=name,
        run_id=run_id,
        station_id=station_id,
        outcome=outcome,
        sip_call_id=sip_call_id,
    )


Where = Annotated[CallFilter, Depends(_call_filter)]
