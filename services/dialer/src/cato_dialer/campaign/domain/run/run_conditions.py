"""Where a run stands, and the conditions that its rules are made of; each is named in the table."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cato_contracts.runs import RunEnding
from cato_dialer.campaign.domain.run.progress import Progress
from cato_dialer.campaign.domain.run.run import Run


@dataclass(frozen=True, slots=True)
class Situation:
    """A run at a moment; `silent` says that no call of it is up and none can begin any more."""

    run: Run
    progress: Progress
    now: datetime
    silent: bool

    @property
    def expires_at(self) -> datetime | None:
        return self.run.snapshot.expires_at

    @property
    def next_wave_due(self) -> datetime:
        run = self.run
        if run.wave_ended_at is None:
            return run.snapshot.start_at or run.created_on
        return run.wave_ended_at + timedelta(seconds=run.snapshot.settings.attempt_delay_s)


Condition = Callable[[Situation], bool]


def ended(now: Situation) -> bool:
    """The run is over."""
    return now.run.ended


def wave_open(now: Situation) -> bool:
    """A wave has begun and is not closed."""
    return now.run.wave_open


def wave_decided(now: Situation) -> bool:
    """A wave is open, and everybody in it has a result."""
    return now.run.wave_open and now.progress.outstanding == 0


def ending_decided(now: Situation) -> bool:
    """The run has been stopped, or has expired."""
    return now.run.ending is not None


def expired(now: Situation) -> bool:
    """It is to end because `expiresAt` has passed."""
    return now.run.ending is RunEnding.EXPIRED


def calls_may_be_up(now: Situation) -> bool:
    """A wave has begun, and it is not known that no call of the run is up or can begin."""
    return now.run.wave > 0 and not now.silent


def nothing_left(now: Situation) -> bool:
    """No wave is open, and everybody has been reached or `attemptCount` waves are over."""
    last_wave = now.run.wave >= now.run.snapshot.settings.attempt_count
    return not now.run.wave_open and (now.progress.not_notified == 0 or last_wave)


def too_late(now: Situation) -> bool:
    """`expiresAt` has passed."""
    return now.expires_at is not None and now.now >= now.expires_at


def paused(now: Situation) -> bool:
    """Somebody has paused the run."""
    return now.run.paused


def not_due(now: Situation) -> bool:
    """`startAt` has not come, or `attemptDelayS` since the last wave's end have not passed."""
    return now.now < now.next_wave_due
