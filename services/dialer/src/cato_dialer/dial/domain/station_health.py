"""What one dialer knows of a station: whether it responds, since when, and what has failed."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self

from cato_contracts.api.stations import StationFailure, StationState

OPTIONS_UNANSWERED = "options-unanswered"
"""The station has not responded to an OPTIONS request."""

REGISTRATION_FAILED = "registration-failed"
"""The station has refused our registration, or has not responded to it."""

_UNANSWERED_TO_BE_DOWN = 2


@dataclass(frozen=True, slots=True)
class StationHealth:
    """`unanswered` counts the OPTIONS requests in a row without a response."""

    state: StationState = StationState.UNKNOWN
    since: datetime | None = None
    last_failure: StationFailure | None = None
    unanswered: int = 0

    @property
    def down(self) -> bool:
        return self.state is StationState.DOWN

    def heard(self, at: datetime) -> Self:
        """Note a response or a request of the station."""
        return replace(self, unanswered=0, **_turned(self, StationState.UP, at))

    def options_unanswered(self, at: datetime) -> Self:
        """Note an OPTIONS request without a response: after two in a row the station is down."""
        unanswered = self.unanswered + 1
        turned = _turned(self, StationState.DOWN, at) if unanswered >= _UNANSWERED_TO_BE_DOWN else {}
        failure = StationFailure(at=at, reason=OPTIONS_UNANSWERED)
        return replace(self, unanswered=unanswered, last_failure=failure, **turned)

    def failed(self, failure: StationFailure) -> Self:
        """Note a call that the station did not carry out, for a reason of its own."""
        return replace(self, last_failure=failure)


def _turned(health: StationHealth, state: StationState, at: datetime) -> dict[str, Any]:
    return {} if health.state is state else {"state": state, "since": at}
