"""What one dialer knows of a station: whether it responds, since when, and what has failed."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self

from cato_contracts.api.reasons import Reason
from cato_contracts.api.stations import StationFailure, StationState

OPTIONS_UNANSWERED = Reason.OPTIONS_UNANSWERED
"""The station has not responded to an OPTIONS request."""

REGISTRATION_FAILED = Reason.REGISTRATION_FAILED
"""The station has refused our registration, or has not responded to it."""

_UNANSWERED_TO_BE_DOWN = 2


@dataclass(frozen=True, slots=True)
class StationHealth:
    """`unanswered` counts the OPTIONS requests in a row without a response.

    `answers_options` is None until the station has answered OPTIONS once, or has answered calls only. OPTIONS
    requests prove nothing about a station that ignores them.
    """

    state: StationState = StationState.UNKNOWN
    since: datetime | None = None
    last_failure: StationFailure | None = None
    unanswered: int = 0
    answers_options: bool | None = None

    @property
    def down(self) -> bool:
        return self.state is StationState.DOWN

    @property
    def silent(self) -> bool:
        """Tell whether so many OPTIONS requests were not answered that the station may be down."""
        return self.unanswered >= _UNANSWERED_TO_BE_DOWN

    def heard(self, at: datetime) -> Self:
        """Note a response or a request of the station in a call."""
        answers = False if self.silent and self.answers_options is None else self.answers_options
        return replace(self, unanswered=0, answers_options=answers, **_turned(self, StationState.UP, at))

    def options_answered(self, at: datetime) -> Self:
        """Note a response to OPTIONS."""
        return replace(self, unanswered=0, answers_options=True, **_turned(self, StationState.UP, at))

    def options_unanswered(self, at: datetime, *, after_call: bool = False) -> Self:
        """Note an OPTIONS request without a response: after two in a row the station is down.

        A station that ignores OPTIONS is down only if a call was not answered either (`after_call`).
        """
        failure = StationFailure(at=at, reason=OPTIONS_UNANSWERED)
        missed = replace(self, unanswered=self.unanswered + 1, last_failure=failure)
        if missed.silent and (after_call or self.answers_options is not False):
            return replace(missed, **_turned(self, StationState.DOWN, at))
        return missed

    def failed(self, failure: StationFailure) -> Self:
        """Note a call that the station did not carry out, for a reason of its own."""
        return replace(self, last_failure=failure)


def _turned(health: StationHealth, state: StationState, at: datetime) -> dict[str, Any]:
    return {} if health.state is state else {"state": state, "since": at}
