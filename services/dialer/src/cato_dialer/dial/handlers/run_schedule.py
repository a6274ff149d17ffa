"""Decide the runs from which a replica takes jobs, and their order."""

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from uuid import UUID

from cato_contracts.messages.jobs import RunDispatchState, RunMode

_FIRST_CHECK_S = 3.0
_LAST_CHECK_S = 300.0


class RunSchedule:
    """Orders runs by priority, rotates runs of the same priority, and leaves out runs that rest.

    Runs that may not call are checked all the same: a replica that died may have left calls without an end,
    which would be shown as up until another replica records their end. A run is checked soon after it became
    idle, and then less and less often.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        """`now` returns the seconds of a monotonic clock."""
        self._now = now
        self._turn = 0
        self._resting: dict[UUID, float] = {}
        self._checks: dict[UUID, tuple[float, float]] = {}

    def rest(self, run_id: UUID, delay_s: float) -> None:
        """Make no calls of the run for this time."""
        self._resting[run_id] = self._now() + delay_s

    def check_within(self, run_id: UUID, delay_s: float) -> None:
        """Check the run after this time if it is idle then: a call may be up at a replica that is silent."""
        self._checks[run_id] = (self._now() + delay_s, 2 * _FIRST_CHECK_S)

    def wake(self) -> None:
        """End the rest of every run: what they wait for may have come."""
        self._resting.clear()

    def to_call(self, run_states: Iterable[RunDispatchState]) -> list[list[RunDispatchState]]:
        """Return the runs to take jobs of, the most urgent group first; a group shares the free capacity."""
        self._turn += 1
        run_states = list(run_states)
        calling = [state for state in run_states if not self._is_idle(state) and _calls(state)]
        calling.sort(key=lambda state: (-state.priority, state.run_id))
        groups = [list(group) for _, group in groupby(calling, key=lambda state: state.priority)]
        # Jobs of a stopping run are only removed, after the calls that a dead replica left open were given
        # their end: the run waits for that.
        stopping = [state for state in run_states if state.mode is RunMode.STOPPING]
        return [self._rotated(group) for group in (*groups, stopping) if group]

    def to_check(self, run_states: Iterable[RunDispatchState]) -> tuple[list[RunDispatchState], float | None]:
        """Return the idle runs whose check is due, and the seconds until the next check."""
        now = self._now()
        idle = {state.run_id: state for state in run_states if self._is_idle(state)}
        self._checks = {
            run_id: self._checks.get(run_id, (now + _FIRST_CHECK_S, 2 * _FIRST_CHECK_S)) for run_id in idle
        }
        due = [run_id for run_id, (at, _) in self._checks.items() if at <= now]
        for run_id in due:
            _, pause = self._checks[run_id]
            self._checks[run_id] = (now + pause, min(2 * pause, _LAST_CHECK_S))
        wait = min((at for at, _ in self._checks.values()), default=None)
        return [idle[run_id] for run_id in due], None if wait is None else wait - now

    def _rotated(self, group: Sequence[RunDispatchState]) -> list[RunDispatchState]:
        shift = self._turn % len(group)
        return [*group[shift:], *group[:shift]]

    def _is_idle(self, state: RunDispatchState) -> bool:
        if state.mode is RunMode.PAUSED:
            return True
        return _calls(state) and self._resting.get(state.run_id, 0.0) > self._now()


def _calls(state: RunDispatchState) -> bool:
    return state.mode is RunMode.CALLING
