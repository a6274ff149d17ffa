"""The intervals of the coordinator."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a run's driver checks conditions that no event reports, in seconds.

    `audit_s`: whether every subscriber without a result has a job. `drain_check_s`: whether the calls of a
    run that ends are over. `settle_s`: how long a dial replica may take to learn that it must start no call.
    """

    audit_s: float = 10.0
    drain_check_s: float = 0.25
    settle_s: float = 2.0


@dataclass(frozen=True, slots=True)
class LeasePace:
    """Seconds between two renewals, two attempts to get a lease, and a failure and the next attempt."""

    renew_s: float = 2.0
    try_again_s: float = 1.5
    recover_s: float = 1.0
