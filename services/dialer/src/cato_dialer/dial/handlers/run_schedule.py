"""Decide of which runs a replica takes jobs, and in which order."""

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from uuid import UUID

from cato_contracts.jobs import RunMode, RunTicket

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

    def to_call(self, tickets: Iterable[RunTicket]) -> list[list[RunTicket]]:
        """Return the runs to take jobs of, the most urgent group first; a group shares the free capacity."""
        self._turn += 1
        tickets = list(tickets)
        calling = [ticket for ticket in tickets if not self._is_idle(ticket) and _calls(ticket)]
        calling.sort(key=lambda ticket: (-ticket.priority, ticket.run_id))
        groups = [list(group) for _, group in groupby(calling, key=lambda ticket: ticket.priority)]
        # Jobs of a stopping run are only removed, after the calls that a dead replica left open were given
        # their end: the run waits for that.
        stopping = [ticket for ticket in tickets if ticket.mode is RunMode.STOPPING]
        return [self._rotated(group) for group in (*groups, stopping) if group]

    def to_check(self, tickets: Iterable[RunTicket]) -> tuple[list[RunTicket], float | None]:
        """Return the idle runs whose check is due, and the seconds until the next check."""
        now = self._now()
        idle = {ticket.run_id: ticket for ticket in tickets if self._is_idle(ticket)}
        self._checks = {
            run_id: self._checks.get(run_id, (now + _FIRST_CHECK_S, 2 * _FIRST_CHECK_S)) for run_id in idle
        }
        due = [run_id for run_id, (at, _) in self._checks.items() if at <= now]
        for run_id in due:
            _, pause = self._checks[run_id]
            self._checks[run_id] = (now + pause, min(2 * pause, _LAST_CHECK_S))
        wait = min((at for at, _ in self._checks.values()), default=None)
        return [idle[run_id] for run_id in due], None if wait is None else wait - now

    def _rotated(self, group: Sequence[RunTicket]) -> list[RunTicket]:
        shift = self._turn % len(group)
        return [*group[shift:], *group[:shift]]

    def _is_idle(self, ticket: RunTicket) -> bool:
        if ticket.mode is RunMode.PAUSED:
            return True
        return _calls(ticket) and self._resting.get(ticket.run_id, 0.0) > self._now()


def _calls(ticket: RunTicket) -> bool:
    return ticket.mode is RunMode.CALLING
