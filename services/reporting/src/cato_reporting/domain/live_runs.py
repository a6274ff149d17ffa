"""All runs that are being followed."""

from dataclasses import dataclass, field
from uuid import UUID

from cato_reporting.domain.live_run import LiveRun
from cato_reporting.domain.parsed_message import Reading


@dataclass(slots=True)
class LiveRuns:
    """The runs by id, and for each run the last position of the log that concerned it.

    `settled` runs have ended and are answered for by the read model: their late events are not folded, as
    without the earlier ones they would add up to something untrue.
    `known_from`: what happened up to this position may have concerned any run.
    """

    runs: dict[UUID, LiveRun] = field(default_factory=dict)
    settled: set[UUID] = field(default_factory=set)
    known_from: int = 0
    _last: dict[UUID, int] = field(default_factory=dict)
    _settled_last: int = 0

    def apply(self, position: int, reading: Reading) -> None:
        """Take in a message of the log."""
        if reading.run_id is None or not reading.events:
            return
        self._last[reading.run_id] = max(position, self._last.get(reading.run_id, 0))
        if reading.run_id in self.settled:
            self._settled_last = max(position, self._settled_last)
            return
        run = self.follow(reading.run_id)
        for index, envelope in enumerate(reading.events):
            run.apply(envelope, (position, index))

    def follow(self, run_id: UUID) -> LiveRun:
        """Return the run, new if need be."""
        run = self.runs.get(run_id)
        if run is None:
            run = self.runs[run_id] = LiveRun(run_id)
        return run

    def get(self, run_id: UUID) -> LiveRun | None:
        """Return a run whose beginning is known."""
        run = self.runs.get(run_id)
        return run if run is not None and run.snapshot is not None else None

    def settle(self, run_id: UUID) -> None:
        """Let go of a run that has ended."""
        self.settled.add(run_id)
        self.runs.pop(run_id, None)
        self._settled_last = max(self._settled_last, self._last.get(run_id, 0))

    def last_position(self, run_id: UUID) -> int:
        """Return how far the read model must be to know all of this run that is known here."""
        return self._last.get(run_id, self.known_from)

    def last_settled_position(self) -> int:
        """Return how far the read model must be to know all that is known here of the settled runs."""
        return max(self.known_from, self._settled_last)
