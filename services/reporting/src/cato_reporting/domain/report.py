"""The report of a run: the numbers of the status document (manual, 3.6), its state, its end."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import isfinite

from cato_contracts.api.calling_hours import may_call_somewhere, next_allowed
from cato_contracts.api.reasons import EndReason
from cato_contracts.api.status import Report, RunState
from cato_contracts.messages.runs import RunEnding, RunSnapshot
from cato_reporting.domain.live_run import End, LiveRun, Phase

_LONGEST_FORECAST_S = 366 * 86_400


@dataclass(frozen=True, slots=True)
class Numbers:
    """The counted numbers of a run; `failed`: subscribers with a failure in the current wave.

    `failed_by_rule`: those of them whom a rule decided without a call, or who opted out, by reason. `t50` and
    `t90`: the seconds from the start until half and 90 % of those who were reached were reached, None if
    nobody was.
    """

    notified: int
    failed: int
    succeeded_calls: int
    failed_calls: int
    ringing: int
    talking: int
    delayed: int
    wave: int
    failed_by_rule: Mapping[str, int] = field(default_factory=dict)
    t50: int | None = None
    t90: int | None = None


def live_report(run: LiveRun, snapshot: RunSnapshot, now: datetime) -> Report:
    """Return the report of a run that is being followed, as of now."""
    numbers = numbers_of(run)
    state = run_state(run, snapshot, now)
    eta = forecast(run, snapshot, now) if state is RunState.CALLING else None
    return make_report(snapshot, numbers, state, eta, end_reason=end_reason(run.end))


def numbers_of(run: LiveRun) -> Numbers:
    return Numbers(
        notified=run.notified,
        failed=run.failed[run.wave],
        succeeded_calls=run.phases[Phase.SUCCEEDED],
        failed_calls=run.phases[Phase.FAILED],
        ringing=run.phases[Phase.RINGING],
        talking=run.phases[Phase.TALKING],
        delayed=run.delayed,
        wave=run.wave,
        failed_by_rule={
            reason: count
            for (wave, reason), count in sorted(run.failed_by_rule.items())
            if wave == run.wave and count
        },
        t50=seconds_to_reach(50, run.reached_after),
        t90=seconds_to_reach(90, run.reached_after),
    )


def seconds_to_reach(percent: int, reached_after: Mapping[int, int]) -> int | None:
    """Return when so many percent were reached; `reached_after` counts subscribers by seconds."""
    wanted = -(-sum(reached_after.values()) * percent // 100)
    counted = 0
    for seconds, count in sorted(reached_after.items()):
        counted += count
        if 0 < wanted <= counted:
            return seconds
    return None


def make_report(
    snapshot: RunSnapshot,
    numbers: Numbers,
    state: RunState,
    eta: datetime | None = None,
    *,
    end_reason: EndReason | None = None,
) -> Report:
    """Return the report. Numbers that are not counted are derived from those that are, so the sums hold."""
    in_progress = numbers.ringing + numbers.talking
    return Report(
        name=snapshot.task_name,
        subscriber_count=snapshot.subscriber_count,
        subscriber_not_yet_notified=snapshot.subscriber_count - numbers.notified - numbers.failed,
        subscriber_notified=numbers.notified,
        subscriber_failed=numbers.failed,
        subscriber_failed_by_rule=dict(numbers.failed_by_rule),
        subscriber_sharing=snapshot.sharing,
        calls_total=numbers.succeeded_calls + numbers.failed_calls + in_progress,
        calls_succeeded=numbers.succeeded_calls,
        calls_failed=numbers.failed_calls,
        calls_in_progress=in_progress,
        calls_delayed=numbers.delayed,
        calls_ringing=numbers.ringing,
        calls_talking=numbers.talking,
        wave_current=max(1, numbers.wave),
        wave_total=snapshot.settings.attempt_count,
        active_phase=state not in {RunState.FINISHED, RunState.STOPPED},
        state=state,
        eta=eta,
        end_reason=end_reason,
        t50=numbers.t50,
        t90=numbers.t90,
    )


def run_state(run: LiveRun, snapshot: RunSnapshot, now: datetime) -> RunState:
    """Return the state of a run."""
    if run.end is not None:
        return final_state(run.end)
    if run.stopping:
        return RunState.STOPPING
    if run.paused:
        return RunState.PAUSED
    return _working_state(run, snapshot, now)


def _working_state(run: LiveRun, snapshot: RunSnapshot, now: datetime) -> RunState:
    unapproved = snapshot.approval is not None and run.decision is None
    if unapproved or (snapshot.start_at is not None and run.wave == 0 and now < snapshot.start_at):
        return RunState.WAITING
    if run.wave_ended:
        due = run.waves_ended[run.wave] + timedelta(seconds=snapshot.settings.attempt_delay_s)
        if now < due:
            return RunState.BETWEEN_WAVES
    if not may_call_somewhere(snapshot.settings, snapshot.hours_zones, now):
        return RunState.OUT_OF_HOURS
    if run.wave == 0:
        return RunState.WAITING
    if run.wave_ended:
        return RunState.BETWEEN_WAVES
    return RunState.STATION_DOWN if run.awaits_station else RunState.CALLING


def final_state(end: End) -> RunState:
    """Return the state of an ended run.

    A run that expired, or gave up for want of a station, is STOPPED: it ended before its work was done.
    """
    return RunState.FINISHED if end.ending is RunEnding.FINISHED else RunState.STOPPED


def end_reason(end: End | None) -> EndReason | None:
    """Return why the run ended before its work was done, None if it did not."""
    return None if end is None or end.ending is RunEnding.FINISHED else EndReason[end.ending.name]


def forecast(run: LiveRun, snapshot: RunSnapshot, now: datetime) -> datetime | None:
    """Estimate when the run will be over, from the pace and the share of failures of the current wave.

    None until a subscriber of the wave has a result. Future pauses are not considered, and of future calling
    hours only the next opening in each zone of the subscribers.
    """
    wave = run.waves.get(run.wave)
    if wave is None or wave.subscriber_count <= 0:
        return None
    open_now = snapshot.subscriber_count - run.notified - run.failed[run.wave]
    done = wave.subscriber_count - open_now
    elapsed = (now - wave.started_at).total_seconds()
    if done <= 0 or elapsed <= 0:
        return None
    pace = elapsed / done
    failing = run.failed[run.wave] / done
    seconds = open_now * pace
    size = wave.subscriber_count * failing
    for _ in range(run.wave, snapshot.settings.attempt_count):
        if size < 1:
            break
        seconds += snapshot.settings.attempt_delay_s + size * pace
        size *= failing
    if not isfinite(seconds) or seconds > _LONGEST_FORECAST_S:
        return None
    openings = [next_allowed(snapshot.settings, [zone], now) for zone in snapshot.zones]
    latest = max((opening for opening in openings if opening is not None), default=now)
    return max(now + timedelta(seconds=seconds), latest).astimezone(UTC).replace(microsecond=0)
