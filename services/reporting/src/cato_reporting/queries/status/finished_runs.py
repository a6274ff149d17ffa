"""The numbers of ended runs, counted once."""

from collections import OrderedDict
from collections.abc import Sequence
from uuid import UUID

from cato_reporting.domain.live_run import LiveRun
from cato_reporting.domain.live_runs import LiveRuns
from cato_reporting.domain.report import Numbers, numbers_of
from cato_reporting.ports import ReadModel

_KEPT = 10_000


class FinishedRuns:
    """Counts the calls and results of ended runs in the tables, and caches the numbers.

    Counting 300,000 calls takes a tenth of a second. A run that was followed to its end passes its numbers
    on. Numbers are counted again when the log has a new event of the run, such as the late end of a call.
    """

    def __init__(self, runs: LiveRuns, read_model: ReadModel, *, kept: int = _KEPT) -> None:
        self._runs = runs
        self._read_model = read_model
        self._kept = kept
        self._counted: OrderedDict[UUID, tuple[int, Numbers]] = OrderedDict()

    async def numbers(self, run_ids: Sequence[UUID]) -> dict[UUID, Numbers]:
        """Return the numbers of runs that are completely in the read model."""
        positions = {run_id: self._runs.last_position(run_id) for run_id in run_ids}
        found: dict[UUID, Numbers] = {}
        for run_id, position in positions.items():
            counted = self._counted.get(run_id)
            if counted is not None and counted[0] == position:
                found[run_id] = counted[1]
        missing = [run_id for run_id in run_ids if run_id not in found]
        if missing:
            for run_id, numbers in (await self._read_model.numbers(missing)).items():
                self._remember(run_id, positions[run_id], numbers)
                found[run_id] = numbers
        return found

    def take_over(self, run: LiveRun) -> None:
        """Cache the numbers of a run that the live projection has just dropped."""
        self._remember(run.run_id, self._runs.last_position(run.run_id), numbers_of(run))

    def _remember(self, run_id: UUID, position: int, numbers: Numbers) -> None:
        self._counted[run_id] = position, numbers
        self._counted.move_to_end(run_id)
        if len(self._counted) > self._kept:
            self._counted.popitem(last=False)
