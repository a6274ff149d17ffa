"""What a run needs next, told from what has been decided, the results so far and the time.

Whoever drives a run asks after every change, so a coordinator that takes over does what the last one would
have done. `RULES` is all there is: the first one whose conditions hold says what is to be done.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from cato_contracts.jobs import RunMode, RunTicket
from cato_contracts.runs import RunEnding
from cato_dialer.campaign.domain.run import run_conditions as when
from cato_dialer.campaign.domain.run.progress import Progress
from cato_dialer.campaign.domain.run.run import Run
from cato_dialer.campaign.domain.run.run_conditions import Condition, Situation


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


@dataclass(frozen=True, slots=True)
class Rule:
    """If all of `conditions` hold, `step` is what is to be done."""

    conditions: tuple[Condition, ...]
    step: Callable[[Situation], Step]

    def described(self) -> dict[str, object]:
        """Return the rule in words, for documents."""
        return {
            "conditions": [condition.__name__ for condition in self.conditions],
            "step": self.step.__name__,
        }


def release(_: Situation) -> Step:
    return Release()


def close_wave(now: Situation) -> Step:
    run, failed = now.run, now.progress.not_notified
    return CloseWave(run.wave, run.wave_size - failed, failed)


def await_silence(_: Situation) -> Step:
    return AwaitSilence()


def give_up(now: Situation) -> Step:
    return GiveUp(now.run.wave)


def end_as_decided(now: Situation) -> Step:
    return EndRun(now.run.ending or RunEnding.STOPPED)


def end_finished(_: Situation) -> Step:
    return EndRun(RunEnding.FINISHED)


def expire(_: Situation) -> Step:
    return Expire()


def dial(now: Situation) -> Step:
    return Dial(now.run.wave, now.expires_at)


def wait_for_resume(now: Situation) -> Step:
    return Wait(now.expires_at)


def wait_for_time(now: Situation) -> Step:
    return Wait(min(time for time in (now.expires_at, now.next_wave_due) if time is not None))


def begin_wave(now: Situation) -> Step:
    return BeginWave(now.run.wave + 1, now.progress.not_notified)


RULES: tuple[Rule, ...] = (
    Rule((when.ended,), release),
    Rule((when.wave_decided,), close_wave),
    # A result may be there while its call still plays, so a run ends in silence only.
    Rule((when.ending_decided, when.calls_may_be_up), await_silence),
    Rule((when.ending_decided, when.expired, when.wave_open), give_up),
    Rule((when.ending_decided,), end_as_decided),
    Rule((when.nothing_left, when.calls_may_be_up), await_silence),
    Rule((when.nothing_left,), end_finished),
    Rule((when.too_late,), expire),
    Rule((when.wave_open,), dial),
    Rule((when.paused,), wait_for_resume),
    Rule((when.not_due,), wait_for_time),
    Rule((), begin_wave),
)


def next_step(run: Run, progress: Progress, now: datetime, *, silent: bool) -> Step:
    """Decide. `silent` says that no call of the run is up and none can begin any more.

    `progress` must have turned to the run's wave.
    """
    situation = Situation(run, progress, now, silent)
    rule = next(rule for rule in RULES if all(condition(situation) for condition in rule.conditions))
    return rule.step(situation)


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
