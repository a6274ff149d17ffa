"""Whether a call that another process began is over, so that its subscriber may be called again.

A process that cannot reach the broker, or that is frozen, looks like a dead one. Its call may still be up.
"""

from datetime import datetime
from enum import StrEnum
from typing import Protocol

from cato_contracts.instants import CLOCK_SKEW
from cato_contracts.messages.calls import CallOwner


class OwnerAnswer(StrEnum):
    """What the processes of the dial role answer when they are asked for an open call."""

    UP = "up"
    """A process has the call, or has not yet recorded all of it."""
    OVER = "over"
    """The process that began the call does not have it any more."""
    SILENCE = "silence"
    """No process has the call; the one that began it does not answer."""


class TakeoverRule(StrEnum):
    """When a call whose owner does not answer counts as over."""

    SAFE = "safe"
    """With proof: its owner has been restarted, or its latest possible end has passed."""
    FAST = "fast"
    """At once. A subscriber may be called while the call of a cut-off process is still up."""


class OpenCall(Protocol):
    """A call without an end on record: which process makes it, and when it is over at the latest."""

    @property
    def owner(self) -> CallOwner | None: ...

    @property
    def ends_by(self) -> datetime | None: ...


def was_restarted(call: OpenCall, newest_incarnation: int) -> bool:
    """Tell whether the owner of a call has started anew since; `newest_incarnation` is that of its name."""
    return call.owner is not None and newest_incarnation > call.owner.incarnation


def is_over(
    call: OpenCall, answer: OwnerAnswer, *, newest_incarnation: int, now: datetime, rule: TakeoverRule
) -> bool:
    """Tell whether an open call is over; `newest_incarnation` is that of its owner's name."""
    if answer is not OwnerAnswer.SILENCE:
        return answer is OwnerAnswer.OVER
    if rule is TakeoverRule.FAST or call.owner is None or call.ends_by is None:
        # Earlier versions recorded neither owner nor latest end.
        return True
    return was_restarted(call, newest_incarnation) or now > call.ends_by + CLOCK_SKEW
