"""The next step of a run, decided from its decisions so far, its results and the time.

The coordinator asks after every change, so a coordinator that takes over continues as the last one would
have. `RULES` is the whole decision: the first rule whose conditions hold gives the step.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cato_contracts.api.reasons import Reason
from cato_contracts.messages.jobs import RunDispatchState, RunMode
from cato_contracts.messages.runs import RunEnding
from cato_dialer.campaign.domain.run import run_conditions as when
from cato_dialer.campaign.domain.run.progress import Progress
from cato_dialer.campaign.domain.run.run import Run
from cato_dialer.campaign.domain.run.run_conditions import Condition, RunInputs

EXPIRED = Reason.EXPIRED
NOT_APPROVED = Reason.NOT_APPROVED
STATION_DOWN = Reason.STATION_DOWN


@dataclass(frozen=True, slots=True)
class BeginWave:
    """Begin this wave with `size` subscribers: all who have not been notified."""

    wave: int
    size: int


@dataclass(frozen=True, slots=True)
class CloseWave:
    """Close the wave: every subscriber in it has a result."""

    wave: int
    notified: int
    failed: int


@dataclass(frozen=True, slots=True)
class Dial:
    """Keep a job queued for every subscriber of the wave without a result, until `until` at most."""

    wave: int
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait until this time, or for a change (None: only for a change)."""

    until: datetime | None


@dataclass(frozen=True, slots=True)
class Expire:
    """Begin to end the run: its time has passed."""


@dataclass(frozen=True, slots=True)
class ExpireApproval:
    """Begin to end the run: no second user has approved it in time."""


@dataclass(frozen=True, slots=True)
class AwaitStation:
    """Record that the run waits for a station to respond."""


@dataclass(frozen=True, slots=True)
class GoOn:
    """Record that the run waits no longer for a station."""


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Begin to end the run: no station has responded for too long."""


@dataclass(frozen=True, slots=True)
class AwaitCallsDrained:
    """Wait until the calls that are up have ended. No call may be started any more."""


@dataclass(frozen=True, slots=True)
class FailRemaining:
    """Give every subscriber of the wave without a result a failure with this reason."""

    wave: int
    reason: str = EXPIRED


@dataclass(frozen=True, slots=True)
class EndRun:
    ending: RunEnding


@dataclass(frozen=True, slots=True)
class Release:
    """The run is over: drop its jobs and its dispatch state, and tell its task."""


Decision = BeginWave | CloseWave | Expire | ExpireApproval | AwaitStation | GoOn | GiveUp | EndRun
"""The steps that the run records."""

Step = Decision | Dial | Wait | AwaitCallsDrained | FailRemaining | Release


@dataclass(frozen=True, slots=True)
class Rule:
    """If all of `conditions` hold, `step` makes the next step."""

    conditions: tuple[Condition, ...]
    step: Callable[[RunInputs], Step]

    def described(self) -> dict[str, object]:
        """Return the names of the conditions and of the step, for documents."""
        return {
            "conditions": [condition.__name__ for condition in self.conditions],
            "step": self.step.__name__,
        }


def release(_: RunInputs) -> Step:
    return Release()


def close_wave(inputs: RunInputs) -> Step:
    run, failed = inputs.run, inputs.progress.not_notified
    return CloseWave(run.wave, run.wave_size - failed, failed)


def await_calls_drained(_: RunInputs) -> Step:
    return AwaitCallsDrained()


def fail_remaining(inputs: RunInputs) -> Step:
    reason = EXPIRED
    if when.given_up(inputs):
        reason = STATION_DOWN
    elif when.not_approved(inputs):
        reason = NOT_APPROVED
    return FailRemaining(inputs.run.wave, reason)


def end_as_decided(inputs: RunInputs) -> Step:
    return EndRun(inputs.run.ending or RunEnding.STOPPED)


def end_finished(_: RunInputs) -> Step:
    return EndRun(RunEnding.FINISHED)


def expire(_: RunInputs) -> Step:
    return Expire()


def expire_approval(_: RunInputs) -> Step:
    return ExpireApproval()


def await_station(_: RunInputs) -> Step:
    return AwaitStation()


def go_on(_: RunInputs) -> Step:
    return GoOn()


def give_up(_: RunInputs) -> Step:
    return GiveUp()


def dial(inputs: RunInputs) -> Step:
    times = [time for time in (inputs.expires_at, inputs.gives_up_at) if time is not None]
    return Dial(inputs.run.wave, min(times, default=None))


def wait_for_resume(inputs: RunInputs) -> Step:
    return Wait(inputs.expires_at)


def wait_for_approval(inputs: RunInputs) -> Step:
    return Wait(min(time for time in (inputs.expires_at, inputs.decide_by) if time is not None))


def wait_for_time(inputs: RunInputs) -> Step:
    return Wait(min(time for time in (inputs.expires_at, inputs.next_wave_due) if time is not None))


def begin_wave(inputs: RunInputs) -> Step:
    return BeginWave(inputs.run.wave + 1, inputs.progress.not_notified)


RULES: tuple[Rule, ...] = (
    Rule((when.ended,), release),
    Rule((when.wave_decided,), close_wave),
    # A run that is not approved has made no calls: nothing is up, and nothing can begin.
    Rule((when.not_approved, when.no_wave_yet), begin_wave),
    Rule((when.not_approved, when.wave_open), fail_remaining),
    Rule((when.not_approved,), end_as_decided),
    # A result may be published while its call still plays, so a run ends only when its calls have ended.
    Rule((when.ending_decided, when.calls_may_be_up), await_calls_drained),
    Rule((when.ending_decided, when.expired, when.wave_open), fail_remaining),
    Rule((when.ending_decided, when.given_up, when.wave_open), fail_remaining),
    Rule((when.ending_decided,), end_as_decided),
    Rule((when.nothing_left, when.calls_may_be_up), await_calls_drained),
    Rule((when.nothing_left,), end_finished),
    Rule((when.too_late,), expire),
    Rule((when.awaits_approval, when.decision_too_late), expire_approval),
    Rule((when.awaits_approval,), wait_for_approval),
    Rule((when.awaits_station, when.no_station_wanted), go_on),
    Rule((when.awaits_station, when.waited_long_enough), give_up),
    Rule((when.awaits_station,), dial),
    Rule((when.station_wanted,), await_station),
    Rule((when.wave_open,), dial),
    Rule((when.paused,), wait_for_resume),
    Rule((when.not_due,), wait_for_time),
    Rule((), begin_wave),
)


def rule_for(inputs: RunInputs) -> Rule:
    """Return the first rule whose conditions hold."""
    return next(rule for rule in RULES if all(condition(inputs) for condition in rule.conditions))


def next_step(
    run: Run,
    progress: Progress,
    now: datetime,
    *,
    drained: bool,
    no_station: bool | None = None,
    station_wait: timedelta = timedelta(),
) -> Step:
    """Return the next step of the run.

    `drained`, `no_station` and `station_wait` are those of `RunInputs`. `progress` must count the run's
    current wave (`Progress.turn_to`).
    """
    inputs = RunInputs(run, progress, now, drained, no_station, station_wait)
    return rule_for(inputs).step(inputs)


def dispatch_state(run: Run) -> RunDispatchState | None:
    """Return the dispatch state of the run; None before its first wave and after its end.

    A run that was not approved has none: no dialer is concerned with it.
    """
    if run.wave == 0 or run.ended or run.unapproved:
        return None
    mode = RunMode.CALLING
    if run.ending is not None:
        mode = RunMode.STOPPING
    elif run.paused:
        mode = RunMode.PAUSED
    return RunDispatchState(run_id=run.id, priority=run.snapshot.priority, mode=mode, hangup=run.hangup)
