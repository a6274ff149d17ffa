"""Which runs a replica takes jobs of, and in which order."""

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from uuid import UUID

from cato_contracts.jobs import RunMode, RunTicket

_FIRST_LOOK_S = 3.0
_LAST_LOOK_S = 300.0


class Schedule:
    """Runs by priority, those of the same priority in turn, and none before its rest is over.

    Runs that may not call are looked after all the same: a replica that died may have left calls without an
    end, and until they have one they would be shown as up. That is found soon after it can happen first, and
    looked for less and less often then.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        """`now`: seconds of a clock that only goes forward."""
        self._now = now
        self._turn = 0
        self._resting: dict[UUID, float] = {}
        self._looks: dict[UUID, tuple[float, float]] = {}

    def rest(self, run_id: UUID, delay_s: float) -> None:
        """Call nobody of the run for so long."""
        self._resting[run_id] = self._now() + delay_s

    def to_call(self, tickets: Iterable[RunTicket]) -> list[list[RunTicket]]:
        """Return the runs to take jobs of, the most urgent first; each group shares what is free."""
        self._turn += 1
        tickets = list(tickets)
        calling = [ticket for ticket in tickets if not self._is_idle(ticket) and _calls(ticket)]
        calling.sort(key=lambda ticket: (-ticket.priority, ticket.run_id))
        groups = [list(group) for _, group in groupby(calling, key=lambda ticket: ticket.priority)]
        # The jobs of a run that stops are dropped, but for calls that a dead replica left without an end:
        # the run waits for that.
        stopping = [ticket for ticket in tickets if ticket.mode is RunMode.STOPPING]
        return [self._in_turn(group) for group in (*groups, stopping) if group]

    def to_look_after(self, tickets: Iterable[RunTicket]) -> tuple[list[RunTicket], float | None]:
        """Return the runs whose time for that has come, and in how many seconds the next one's does."""
        now = self._now()
        idle = {ticket.run_id: ticket for ticket in tickets if self._is_idle(ticket)}
        self._looks = {
            run_id: self._looks.get(run_id, (now + _FIRST_LOOK_S, 2 * _FIRST_LOOK_S)) for run_id in idle
        }
        due = [run_id for run_id, (at, _) in self._looks.items() if at <= now]
        for run_id in due:
            _, pause = self._looks[run_id]
            self._looks[run_id] = (now + pause, min(2 * pause, _LAST_LOOK_S))
        wait = min((at for at, _ in self._looks.values()), default=None)
        return [idle[run_id] for run_id in due], None if wait is None else wait - now

    def _in_turn(self, group: Sequence[RunTicket]) -> list[RunTicket]:
        shift = self._turn % len(group)
        return [*group[shift:], *group[:shift]]

    def _is_idle(self, ticket: RunTicket) -> bool:
        if ticket.mode is RunMode.PAUSED:
            return True
        return _calls(ticket) and self._resting.get(ticket.run_id, 0.0) > self._now()


def _calls(ticket: RunTicket) -> bool:
    return ticket.mode is RunMode.CALLING
