"""Decide whether a call may be started for a job now, and how the job ends if not."""

from dataclasses import dataclass
from datetime import datetime

from cato_contracts.api.calling_hours import may_call_in_all, next_allowed
from cato_contracts.api.reasons import Reason
from cato_contracts.messages.jobs import DialJob, RunDispatchState, RunMode

EXPIRED = Reason.EXPIRED
STOPPED = Reason.STOPPED

_PAUSED_DELAY_S = 1.0
_NEVER_DELAY_S = 3600.0
_NO_STATION_DELAY_S = 30.0
"""A station that responds again wakes the run before this time."""


@dataclass(frozen=True, slots=True)
class Discard:
    """Remove the job: its run is over."""


@dataclass(frozen=True, slots=True)
class Fail:
    """End the wave for the subscriber, with this reason unless a call of the wave has one."""

    reason: str
    without_calls: bool
    """Fail a subscriber who was not called in this wave, too; otherwise such a job is only removed."""


@dataclass(frozen=True, slots=True)
class Defer:
    """Give the job back for `delay_s`; with `whole_run`, no other job of the run may call either."""

    delay_s: float
    whole_run: bool = False


Refusal = Discard | Fail | Defer


@dataclass(frozen=True, slots=True)
class CallGate:
    """The conditions that each call of a job must meet."""

    job: DialJob

    def refusal(
        self, state: RunDispatchState | None, now: datetime, *, closing: bool, no_station: bool = False
    ) -> Refusal | None:
        """Return the reason that forbids a call at `now`, or None.

        `closing`: this replica shuts down. `no_station`: no station responds.
        """
        if state is None:
            return Discard()
        if state.mode is RunMode.STOPPING:
            return Fail(STOPPED, without_calls=False)
        if self.job.expires_at is not None and self.job.expires_at <= now:
            return Fail(EXPIRED, without_calls=True)
        if closing:
            return Defer(0)
        if state.mode is RunMode.PAUSED:
            return Defer(_PAUSED_DELAY_S)
        await_station = Defer(_NO_STATION_DELAY_S, whole_run=True) if no_station else None
        return self._out_of_hours(now) or await_station

    def _out_of_hours(self, now: datetime) -> Defer | None:
        settings, zones = self.job.settings, self.job.hours_zones
        if may_call_in_all(settings, zones, now):
            return None
        opens = next_allowed(settings, zones, now)
        # With hours of each subscriber, others of the run may be called meanwhile.
        return Defer(
            (opens - now).total_seconds() if opens else _NEVER_DELAY_S, whole_run=settings.local_time is None
        )
