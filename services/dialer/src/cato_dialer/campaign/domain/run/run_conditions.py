"""The conditions that the rules of a run are made of. Each has a name in the printed table."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cato_contracts.api.calling_hours import may_call_somewhere
from cato_contracts.messages.runs import RunEnding
from cato_dialer.campaign.domain.run.progress import Progress
from cato_dialer.campaign.domain.run.run import Run


@dataclass(frozen=True, slots=True)
class RunInputs:
    """Everything that the next step of a run depends on.

    `drained` says that no call of the run is up and none can begin any more. `no_station`: whether no station
    responds, None if that is not known. `station_wait`: how long the run waits for one (zero: not at all).
    """

    run: Run
    progress: Progress
    now: datetime
    drained: bool
    no_station: bool | None = None
    station_wait: timedelta = timedelta()

    @property
    def expires_at(self) -> datetime | None:
        return self.run.snapshot.expires_at

    @property
    def gives_up_at(self) -> datetime | None:
        """When the run ends for want of a station; None while it does not wait for one."""
        since = self.run.awaits_station_since
        return None if since is None else since + self.station_wait

    @property
    def decide_by(self) -> datetime | None:
        """Until when a second user may approve the run; None: it waits for no approval."""
        order = self.run.snapshot.approval
        return order.until if order is not None and self.run.unapproved else None

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


def given_up(inputs: RunInputs) -> bool:
    """The run is to end because no station has responded for `stationDownWaitS`."""
    return inputs.run.ending is RunEnding.STATION_DOWN


def not_approved(inputs: RunInputs) -> bool:
    """The run is to end because a second user has rejected it, or none has approved it in time."""
    return inputs.run.ending in {RunEnding.REJECTED, RunEnding.APPROVAL_EXPIRED}


def no_wave_yet(inputs: RunInputs) -> bool:
    """No wave has begun so far."""
    return inputs.run.wave == 0


def awaits_approval(inputs: RunInputs) -> bool:
    """The run needs the approval of a second user, and has none."""
    return inputs.run.unapproved


def decision_too_late(inputs: RunInputs) -> bool:
    """The time for the approval has passed."""
    return inputs.decide_by is not None and inputs.now >= inputs.decide_by


def awaits_station(inputs: RunInputs) -> bool:
    """The run waits for a station to respond."""
    return inputs.run.awaits_station_since is not None


def station_wanted(inputs: RunInputs) -> bool:
    """No station responds, `stationDownWaitS` is not 0, and calls may be made: a wave is open, not paused."""
    return inputs.no_station is True and bool(inputs.station_wait) and _calls_may_be_made(inputs)


def no_station_wanted(inputs: RunInputs) -> bool:
    """A station responds, or no calls may be made because of the calling hours."""
    return inputs.no_station is False or not _calls_may_be_made(inputs)


def _calls_may_be_made(inputs: RunInputs) -> bool:
    run = inputs.run
    in_hours = may_call_somewhere(run.snapshot.settings, run.snapshot.hours_zones, inputs.now)
    return run.wave_open and not run.paused and in_hours


def waited_long_enough(inputs: RunInputs) -> bool:
    """No station has responded for `stationDownWaitS`."""
    return inputs.gives_up_at is not None and inputs.now >= inputs.gives_up_at


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
