"""The runs that are followed."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from cato_reporting.domain.live_run import LiveRun
from cato_reporting.domain.parsed_message import ParsedMessage

_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class LiveRuns:
    """The runs by id, and for each run the last position of the log that concerned it.

    `settled` runs have ended, at these times, and are read from the tables. Their late events are not
    applied: without the earlier ones the numbers would be wrong.
    `known_from`: events up to this position may belong to any run.
    `settled_until` is the latest end of a settled run.
    """

    runs: dict[UUID, LiveRun] = field(default_factory=dict)
    settled: dict[UUID, datetime] = field(default_factory=dict)
    known_from: int = 0
    settled_until: datetime = _NEVER
    _last: dict[UUID, int] = field(default_factory=dict)
    _settled_last: int = 0

    def apply(self, position: int, parsed: ParsedMessage) -> None:
        """Apply a message of the log."""
        if parsed.run_id is None or not parsed.events:
            return
        self._last[parsed.run_id] = max(position, self._last.get(parsed.run_id, 0))
        if parsed.run_id in self.settled:
            self._settled_last = max(position, self._settled_last)
            return
        run = self.follow(parsed.run_id)
        for index, envelope in enumerate(parsed.events):
            run.apply(envelope, (position, index))

    def follow(self, run_id: UUID) -> LiveRun:
        """Return the run; create it if it is not there."""
        run = self.runs.get(run_id)
        if run is None:
            run = self.runs[run_id] = LiveRun(run_id)
        return run

    def get(self, run_id: UUID) -> LiveRun | None:
        """Return a run whose snapshot is known."""
        run = self.runs.get(run_id)
        return run if run is not None and run.snapshot is not None else None

    def settle(self, run_id: UUID, ended_at: datetime) -> None:
        """Drop a run that has ended."""
        self.settled[run_id] = ended_at
        self.settled_until = max(self.settled_until, ended_at)
        self.runs.pop(run_id, None)
        self._settled_last = max(self._settled_last, self._last.get(run_id, 0))

    def forget(self, run_id: UUID) -> None:
        """Forget a settled run that is no longer in the log."""
        del self.settled[run_id]
        self._last.pop(run_id, None)

    def last_position(self, run_id: UUID) -> int:
        """Return the position that the tables must reach to have all known events of this run."""
        return self._last.get(run_id, self.known_from)

    def last_settled_position(self) -> int:
        """Return the position that the tables must reach to have all known events of the settled runs."""
        return max(self.known_from, self._settled_last)
