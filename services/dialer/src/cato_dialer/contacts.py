"""Whether a number may be called now, by the calls that it has had over all runs.

The record of a number has the call that is up, or about to be, and the calls that count for limits. A call
counts from the latest moment at which its request can have been sent. So there are never more calls on the
wire within a period than in the record.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from cato_contracts.api.rules.contacts import (
    ContactLimits,
    ContactLimitsOwner,
    ContactScope,
    StoredContactLimits,
)
from cato_contracts.instants import CLOCK_SKEW, from_unix_ms, unix_ms
from cato_contracts.messages.calls import CallOwner
from cato_contracts.model import Frozen

MOST_KEPT = 500
"""So many calls are kept for a number at most; a limit is 100."""


class Contact(Frozen):
    """A call that a number has had (Unix ms): `at`, the request was sent at the latest; `over`, it ended."""

    at: int
    over: int
    user_id: str
    task_id: UUID | None = None


class Claim(Frozen):
    """The one call that may be up to a number. `job` is the key of its job, which its owner is asked for.

    Its request is not sent after `start_by`, and it is over by `ends_by`. A call that is not `counted` leaves
    no trace.
    """

    call_id: UUID
    job: str
    owner: CallOwner
    start_by: datetime
    ends_by: datetime
    user_id: str
    task_id: UUID | None = None
    counted: bool = True


class NumberRecord(Frozen):
    """What is kept about a number."""

    claim: Claim | None = None
    calls: tuple[Contact, ...] = ()

    def claimed(self, claim: Claim) -> "NumberRecord":
        return NumberRecord(claim=claim, calls=self.calls)

    def released(self, *, sent_by: datetime | None, over: datetime) -> "NumberRecord":
        """Return the record without the claim; its call counts if its request was sent (`sent_by`)."""
        claim = self.claim
        if claim is None or sent_by is None or not claim.counted:
            return NumberRecord(calls=self.calls)
        call = Contact(
            at=unix_ms(min(sent_by, over)),
            over=unix_ms(over),
            user_id=claim.user_id,
            task_id=claim.task_id,
        )
        return NumberRecord(calls=(*self.calls, call)[-MOST_KEPT:])

    def lost(self, now: datetime) -> "NumberRecord":
        """Return the record without the claim of a process that is gone: its request may have been sent."""
        if self.claim is None:
            return self
        return self.released(sent_by=self.claim.start_by, over=min(now, self.claim.ends_by))

    def since(self, moment: datetime) -> "NumberRecord":
        """Return the record without the calls that were over before then."""
        earliest = unix_ms(moment)
        kept = tuple(call for call in self.calls if call.over >= earliest)
        return self if len(kept) == len(self.calls) else NumberRecord(claim=self.claim, calls=kept)


@dataclass(frozen=True, slots=True)
class AppliedLimits:
    """Limits that concern a call; `user_id`: only calls of this user count, None: those of all."""

    limits: ContactLimits
    user_id: str | None = None

    def counts(self, call: Contact, task_id: UUID | None) -> bool:
        if self.user_id not in (None, call.user_id):
            return False
        return self.limits.over is ContactScope.ALL_TASKS or call.task_id == task_id


@dataclass(frozen=True, slots=True)
class Allowed:
    """The number may be called."""


@dataclass(frozen=True, slots=True)
class Wait:
    """The number may be called from this moment on."""

    until: datetime


@dataclass(frozen=True, slots=True)
class LimitReached:
    """The number has had its calls."""


Decision = Allowed | Wait | LimitReached


def contact_decision(
    record: NumberRecord, applied: Sequence[AppliedLimits], task_id: UUID | None, now: datetime
) -> Decision:
    """Decide about a call at `now` to a number without an open call.

    Clocks of dialers may differ, so each period is longer by that difference.
    """
    wait_until: datetime | None = None
    for one in applied:
        calls = [call for call in record.calls if one.counts(call, task_id)]
        for limit in one.limits.limits:
            since = unix_ms(now - timedelta(seconds=limit.per_s) - CLOCK_SKEW)
            if sum(call.at > since for call in calls) >= limit.max_calls:
                return LimitReached()
        if one.limits.min_gap_s and calls:
            gap = timedelta(seconds=one.limits.min_gap_s) + CLOCK_SKEW
            until = from_unix_ms(max(call.over for call in calls)) + gap
            if until > now:
                wait_until = until if wait_until is None else max(wait_until, until)
    return Allowed() if wait_until is None else Wait(wait_until)


class LimitsInForce:
    """The limits of users and of the system, and those in the settings of a job."""

    def __init__(self, stored: Iterable[StoredContactLimits] = ()) -> None:
        self._system: list[AppliedLimits] = []
        self._of_users: dict[str, AppliedLimits] = {}
        self._longest_s = 0
        for limits in stored:
            self._longest_s = max(self._longest_s, limits.longest_s)
            if limits.scope is ContactLimitsOwner.SYSTEM:
                self._system.append(AppliedLimits(limits))
            elif limits.user_id is not None:
                self._of_users[limits.user_id] = AppliedLimits(limits, limits.user_id)

    def limits_for(self, user_id: str, own: ContactLimits | None) -> tuple[AppliedLimits, ...]:
        """Return the limits that concern calls of a user; `own`: those of the settings."""
        if own is None and not self._system and user_id not in self._of_users:
            return ()
        found = [*self._system]
        if (of_user := self._of_users.get(user_id)) is not None:
            found.append(of_user)
        if own is not None:
            found.append(AppliedLimits(own, user_id))
        return tuple(found)

    def kept_for(self, own: ContactLimits | None) -> timedelta:
        """Return for how long a call counts: the longest period of all limits that are known."""
        longest_s = max(self._longest_s, own.longest_s if own is not None else 0)
        return timedelta(seconds=longest_s) + CLOCK_SKEW if longest_s else timedelta()
