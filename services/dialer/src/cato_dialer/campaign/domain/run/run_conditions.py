"""The conditions that the rules of a run are made of. Each has a name in the printed table."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cato_contracts.messages.runs import RunEnding
from cato_dialer.campaign.domain.run.progress import Progress
from cato_dialer.campaign.domain.run.run import Run


@dataclass(frozen=True, slots=True)
class RunInputs:
    """Everything that the next step of a run depends on.

    `drained` says that no call of the run is up and none can begin any more.
    """

    run: Run
    progress: Progress
    now: datetime
    drained: bool

    @property
    def expires_at(self) -> datetime | None:
        return self.run.snapshot.expires_at

    @property
    def next_wave_due(self) -> datetime:
        run = self.run
        if run.wave_ended_at is None:
            return run.snapshot.start_at or run.created_on
        return run.wave_ended_at + timedelta(seconds=run.snapshot.settings.attempt_delay_s)


Condition = Callable[[RunInputs], bool]


def ended(inputs: RunInputs) -> bool:
    """The run is over."""
    return inputs.run.ended


def wave_open(inputs: RunInputs) -> bool:
    """A wave has begun and is not closed."""
    return inputs.run.wave_open


def wave_decided(inputs: RunInputs) -> bool:
    """A wave is open, and every subscriber in it has a result."""
    return inputs.run.wave_open and inputs.progress.outstanding == 0


def ending_decided(inputs: RunInputs) -> bool:
    """The run has been stopped, or has expired."""
    return inputs.run.ending is not None


def expired(inputs: RunInputs) -> bool:
    """The run is to end because `expiresAt` has passed."""
    return inputs.run.ending is RunEnding.EXPIRED


def calls_may_be_up(inputs: RunInputs) -> bool:
    """A wave has begun, and it is not known that no call of the run is up or can begin."""
    return inputs.run.wave > 0 and not inputs.drained


def nothing_left(inputs: RunInputs) -> bool:
    """No wave is open, and every subscriber has been notified or `attemptCount` waves are over."""
    last_wave = inputs.run.wave >= inputs.run.snapshot.settings.attempt_count
    return not inputs.run.wave_open and (inputs.progress.not_notified == 0 or last_wave)


def too_late(inputs: RunInputs) -> bool:
    """`expiresAt` has passed."""
    return inputs.expires_at is not None and inputs.now >= inputs.expires_at


def paused(inputs: RunInputs) -> bool:
    """A user has paused the run."""
    return inputs.run.paused


def not_due(inputs: RunInputs) -> bool:
    """`startAt` has not come, or `attemptDelayS` since the last wave's end have not passed."""
    return inputs.now < inputs.next_wave_due
