"""How a job ends at a replica."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Done:
    """Remove the job from the queue."""


@dataclass(frozen=True, slots=True)
class GiveBack:
    """Return the job to the queue, for any replica; with `whole_run`, rest the whole run here."""

    delay_s: float
    whole_run: bool = False


@dataclass(frozen=True, slots=True)
class LeaveAlone:
    """Do not acknowledge the job: another replica works on the subscriber."""


@dataclass(frozen=True, slots=True)
class AwaitEnd:
    """Return the job to the queue: a call to the subscriber may be up at a replica that does not answer."""

    delay_s: float


Verdict = Done | GiveBack | LeaveAlone | AwaitEnd
