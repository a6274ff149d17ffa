"""What a run needs next, told from what has been decided, the results so far and the time.

Whoever drives a run asks after every change, so a coordinator that takes over does what the last one would
have done.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cato_contracts.jobs import RunMode, RunTicket
from cato_contracts.runs import RunEnding
from cato_dialer.domain.run.progress import Progress
from cato_dialer.domain.run.run import Run


@dataclass(frozen=True, slots=True)
class BeginWave:
    """Call these many people in this wave: all who have not been notified."""

    wave: int
    size: int


@dataclass(frozen=True, slots=True)
class CloseWave:
    """Everybody in the wave has a result."""

    wave: int
    notified: int
    failed: int


@dataclass(frozen=True, slots=True)
class Dial:
    """See to it that there is a job for everybody in the wave without a result, until `until` at most."""

    wave: int
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing can be done before this time (None: before something happens)."""

    until: datetime | None


@dataclass(frozen=True, slots=True)
class Expire:
    """It is too late for any further call."""


@dataclass(frozen=True, slots=True)
class AwaitSilence:
    """No call may be started any more; those that are up end."""


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Everybody in the wave without a result gets one: it is too late."""

    wave: int


@dataclass(frozen=True, slots=True)
class EndRun:
    ending: RunEnding


@dataclass(frozen=True, slots=True)
class Release:
    """The run is over: let go of its jobs and tell its task."""


Step = BeginWave | CloseWave | Dial | Wait | Expire | AwaitSilence | GiveUp | EndRun | Release


def next_step(run: Run, progress: Progress, now: datetime, *, silent: bool) -> Step:
    """Decide. `silent` says that no call of the run is up and none can begin any more.

    A result may be there while its call still plays, so a run ends in silence only. `progress` must have
    turned to the run's wave.
    """
    if run.ended:
        return Release()
    if run.wave_open and progress.outstanding == 0:
        failed = progress.not_notified
        return CloseWave(run.wave, run.wave_size - failed, failed)
    if run.ending is not None:
        return _towards_the_end(run, run.ending, silent=silent)
    last_wave = run.wave >= run.snapshot.settings.attempt_count
    if not run.wave_open and (progress.not_notified == 0 or last_wave):
        return EndRun(RunEnding.FINISHED) if silent or run.wave == 0 else AwaitSilence()
    return _towards_the_next_wave(run, progress, now)


def ticket(run: Run) -> RunTicket | None:
    """Return what dial replicas are to know of the run; None before its first wave and after its end."""
    if run.wave == 0 or run.ended:
        return None
    mode = RunMode.CALLING
    if run.ending is not None:
        mode = RunMode.STOPPING
    elif run.paused:
        mode = RunMode.PAUSED
    return RunTicket(run_id=run.id, priority=run.snapshot.priority, mode=mode, hangup=run.hangup)


def _towards_the_end(run: Run, ending: RunEnding, *, silent: bool) -> Step:
    if run.wave > 0 and not silent:
        return AwaitSilence()
    if run.wave_open and ending is RunEnding.EXPIRED:
        return GiveUp(run.wave)
    return EndRun(ending)


def _towards_the_next_wave(run: Run, progress: Progress, now: datetime) -> Step:
    expires_at = run.snapshot.expires_at
    if expires_at is not None and now >= expires_at:
        return Expire()
    if run.wave_open:
        return Dial(run.wave, expires_at)
    due = _next_wave_due(run)
    if run.paused or now < due:
        ends = [time for time in (expires_at, None if run.paused else due) if time is not None]
        return Wait(min(ends, default=None))
    return BeginWave(run.wave + 1, progress.not_notified)


def _next_wave_due(run: Run) -> datetime:
    if run.wave_ended_at is None:
        return run.snapshot.start_at or run.created_on
    return run.wave_ended_at + timedelta(seconds=run.snapshot.settings.attempt_delay_s)
