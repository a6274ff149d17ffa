"""Retry rules: which outcomes of a call lead to another call, to none, or to no further call at all."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from cato_contracts.api.reasons import Group, Reason
from cato_contracts.model import Resource


class OutcomeGroup(StrEnum):
    """What the outcome of an unsuccessful call says about the number."""

    BUSY = "BUSY"
    NO_ANSWER = "NO_ANSWER"
    UNREACHABLE = "UNREACHABLE"
    INVALID_NUMBER = "INVALID_NUMBER"
    REFUSED = "REFUSED"
    NETWORK = "NETWORK"
    HUNG_UP_EARLY = "HUNG_UP_EARLY"
    NOT_CONFIRMED = "NOT_CONFIRMED"


HOPELESS = frozenset({OutcomeGroup.INVALID_NUMBER, OutcomeGroup.REFUSED})
"""The groups after which `skipHopeless` leaves a number out of later waves."""

_GROUPS: dict[OutcomeGroup, tuple[Reason, ...]] = {
    OutcomeGroup.BUSY: (Reason.BUSY, Reason.BUSY_EVERYWHERE),
    OutcomeGroup.NO_ANSWER: (Reason.NO_ANSWER,),
    OutcomeGroup.UNREACHABLE: (Reason.UNAVAILABLE, Reason.REQUEST_TIMEOUT),
    OutcomeGroup.INVALID_NUMBER: (
        Reason.NOT_FOUND,
        Reason.GONE,
        Reason.ADDRESS_INCOMPLETE,
        Reason.DOES_NOT_EXIST,
    ),
    OutcomeGroup.REFUSED: (Reason.DECLINED, Reason.UNWANTED, Reason.REJECTED_BY_NETWORK),
    OutcomeGroup.HUNG_UP_EARLY: (Reason.HUNG_UP_EARLY,),
    OutcomeGroup.NOT_CONFIRMED: (Reason.NOT_CONFIRMED, Reason.DURATION_EXCEEDED),
}
_NETWORK = frozenset({Group.PERSON, Group.NUMBER, Group.STATION, Group.REQUEST})

_GROUP_OF = {
    **{
        reason.value: OutcomeGroup.NETWORK
        for reason in Reason
        # A call that failed because its station was down is repeated in any case, one in which the person
        # asked not to be called again in none.
        if reason.group in _NETWORK and reason not in {Reason.STATION_DOWN, Reason.OPTED_OUT}
    },
    **{reason.value: group for group, reasons in _GROUPS.items() for reason in reasons},
}


def outcome_group(reason: str | None) -> OutcomeGroup | None:
    """Return the group of a call's reason; None for a success, and where CATO itself ended the call."""
    return _GROUP_OF.get(reason or "")


def reasons_of(groups: frozenset[OutcomeGroup]) -> list[str]:
    """Return the reasons of these groups."""
    return [reason for reason, group in _GROUP_OF.items() if group in groups]


class RetryRule(Resource):
    """What follows an unsuccessful call; the first rule whose `outcomes` contain its outcome applies."""

    outcomes: Annotated[list[OutcomeGroup], Field(min_length=1)] = Field(examples=[["BUSY", "NO_ANSWER"]])
    """Outcomes of a call. `BUSY`; `NO_ANSWER`; `UNREACHABLE`: 408, 480; `INVALID_NUMBER`: 404, 410, 484, 604;
    `REFUSED`: 603, 607, 608; `HUNG_UP_EARLY`; `NOT_CONFIRMED`: answered, and the code was not keyed or
    `maxCallDurationS` passed; `NETWORK`: all others."""

    after_s: int = Field(default=0, ge=0, le=604_800, examples=[300])
    """How long after the end of the call the number is called again, in seconds. The other numbers are called
    meanwhile. A time outside the calling hours moves to their next beginning."""

    max_attempts: int = Field(default=1, ge=1, le=100, examples=[3])
    """How many calls the number gets in a wave at most. 1: it is not called again in the wave."""

    drop_number: bool = Field(default=False, examples=[False])
    """Whether the number is not called again in the execution, once it has had `maxAttempts` calls."""

    stop: bool = Field(default=False, examples=[False])
    """Whether the subscriber is not called again in the execution, on any number, once the number has had
    `maxAttempts` calls."""


def rule_for(rules: Sequence[RetryRule], reason: str | None) -> RetryRule | None:
    """Return the rule that applies to a call with this reason, None if none does."""
    group = outcome_group(reason)
    return next((rule for rule in rules if group in rule.outcomes), None) if group else None
