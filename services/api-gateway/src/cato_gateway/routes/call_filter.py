"""The parameters that say which calls of the history are meant."""

import re
from collections.abc import Callable
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query
from pydantic import AwareDatetime, BeforeValidator, ValidationError, WrapValidator

from cato_contracts.errors import InvalidError
from cato_contracts.history import CallFilter, CallOutcome
from cato_contracts.resources import normalised_phone

_EXAMPLE = "2024-03-24T08:30:00Z"
_DATE_FIRST = re.compile(r"\d{4}-\d\d-\d\dT", re.IGNORECASE)
_LOST_PLUS_OF_ZONE = re.compile(r" (?=\d\d:?\d\d$)")
_LOST_PLUS_OF_NUMBER = re.compile(r" (?=\d[\d ()\t-]*$)")


def _instant(text: str, parse: Callable[[str], AwareDatetime]) -> AwareDatetime:
    """Read a time; a blank before the offset is the + that was not written as %2B in the address."""
    try:
        if _DATE_FIRST.match(text):  # a number would be taken for Unix time
            return parse(_LOST_PLUS_OF_ZONE.sub("+", text))
    except ValidationError:
        pass
    msg = f"should be an ISO 8601 time with its zone, such as {_EXAMPLE}, not {text[:60]!r}"
    raise ValueError(msg)


def _number(text: str) -> str:
    return normalised_phone(_LOST_PLUS_OF_NUMBER.sub("+", text) if text.startswith(" ") else text)


Time = Annotated[AwareDatetime | None, WrapValidator(_instant)]


async def call_filter(  # noqa: PLR0917 - parameters of the request
    since: Annotated[
        Time, Query(alias="from", description="Calls started at this time or later, ISO 8601 with a zone.")
    ] = None,
    until: Annotated[
        Time, Query(alias="to", description="Calls started before this time, ISO 8601 with a zone.")
    ] = None,
    number: Annotated[
        Annotated[str, BeforeValidator(_number)] | None,
        Query(description="Calls to this number, however it is written."),
    ] = None,
    run_id: Annotated[UUID | None, Query(alias="taskExecId", description="Calls of this execution.")] = None,
    station_id: Annotated[
        UUID | None, Query(alias="stationId", description="Calls through this station.")
    ] = None,
    outcome: Annotated[CallOutcome | None, Query(description="Calls that stand so, or ended so.")] = None,
) -> CallFilter:
    """Return the conditions of a request.

    Raises:
        InvalidError: if no call can be meant.

    """
    if since is not None and until is not None and since >= until:
        raise InvalidError(f"to should be later than from, not {until.isoformat()}")
    return CallFilter(
        since=since, until=until, number=number, run_id=run_id, station_id=station_id, outcome=outcome
    )


Where = Annotated[CallFilter, Depends(call_filter)]
