"""Whether a call may be started for a job now, and what becomes of the job if not."""

from dataclasses import dataclass
from datetime import datetime

from cato_contracts.calling_hours import may_call, next_change
from cato_contracts.jobs import DialJob, RunMode, RunTicket

EXPIRED = "expired"
STOPPED = "stopped"

_PAUSED_DELAY_S = 1.0
_NEVER_DELAY_S = 3600.0


@dataclass(frozen=True, slots=True)
class Drop:
    """The run is over: the job goes."""


@dataclass(frozen=True, slots=True)
class Settle:
    """The subscriber's wave ends here, for this reason unless a call of the wave tells another."""

    reason: str
    without_calls: bool
    """Settled even if nobody was called in this wave; otherwise the job just goes then."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Not now: the job goes back to the queue for so long; `whole_run`: no other job of it can do better."""

    delay_s: float
    whole_run: bool = False


Obstacle = Drop | Settle | Wait


def obstacle(job: DialJob, ticket: RunTicket | None, now: datetime, *, closing: bool) -> Obstacle | None:
    """Return what forbids a call at `now`, None if nothing does. `closing`: this replica is going down."""
    if ticket is None:
        return Drop()
    if ticket.mode is RunMode.STOPPING:
        return Settle(STOPPED, without_calls=False)
    if job.expires_at is not None and job.expires_at <= now:
        return Settle(EXPIRED, without_calls=True)
    if closing:
        return Wait(0)
    if ticket.mode is RunMode.PAUSED:
        return Wait(_PAUSED_DELAY_S)
    return _out_of_hours(job, now)


def _out_of_hours(job: DialJob, now: datetime) -> Wait | None:
    if may_call(job.settings, job.time_zone, now):
        return None
    opens = next_change(job.settings, job.time_zone, now)
    return Wait((opens - now).total_seconds() if opens else _NEVER_DELAY_S, whole_run=True)
