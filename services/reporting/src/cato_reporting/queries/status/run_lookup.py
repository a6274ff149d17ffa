"""A run as a query finds it: followed by the live projection, or in the tables."""

from uuid import UUID

from cato_contracts.errors import NotFoundError
from cato_contracts.messages.runs import RunSnapshot
from cato_contracts.requests import Actor
from cato_reporting.domain.live_run import LiveRun
from cato_reporting.ports import ReadModel, StoredRun
from cato_reporting.projections.archive.run_archive import RunArchive
from cato_reporting.projections.live.live_projection import LiveProjection
from cato_reporting.queries.read_barrier import ReadBarrier
from cato_reporting.queries.status.finished_runs import FinishedRuns


class RunLookup:
    """Finds runs, and refuses those that the actor may not see."""

    def __init__(
        self,
        live: LiveProjection,
        barrier: ReadBarrier,
        read_model: ReadModel,
        finished: FinishedRuns,
        archive: RunArchive,
    ) -> None:
        self._live = live
        self._barrier = barrier
        self._read_model = read_model
        self._finished = finished
        self._archive = archive

    async def snapshot(self, run_id: UUID, actor: Actor, *, needs_wave: bool) -> tuple[RunSnapshot, int]:
        """Return what a run works with, and its current wave (of an ended run only if that is needed)."""
        live = await self.followed(run_id)
        if live is not None and live.snapshot is not None:
            check_seen(actor, live.snapshot)
            return live.snapshot, live.wave
        stored = await self.stored(run_id, actor)
        wave = 0
        if needs_wave:
            wave = (await self._finished.numbers([run_id]))[run_id].wave
        return stored.snapshot, wave

    async def followed(self, run_id: UUID) -> LiveRun | None:
        """Return the current state of the run if it is followed."""
        await self._barrier.caught_up()
        return self._live.runs.get(run_id)

    async def stored(self, run_id: UUID, actor: Actor) -> StoredRun:
        """Return a run that has ended, whether it is still in the log or has left it."""
        if run_id in self._live.runs.settled:
            await self._barrier.stored(self._live.runs.last_position(run_id))
        elif await self._archive.holds(run_id):
            await self._barrier.stored(self._live.progress.position)
        else:
            raise _unknown(run_id)
        stored = (await self._read_model.runs([run_id])).get(run_id)
        if stored is None:
            # The run is not in the tables, which are complete: it has expired.
            raise NotFoundError(
                f"the task execution {run_id} is older than what is kept", resource_id=str(run_id)
            )
        check_seen(actor, stored.snapshot)
        return stored


def check_seen(actor: Actor, snapshot: RunSnapshot) -> None:
    if not snapshot.seen_by(actor):
        raise _unknown(snapshot.run_id)


def _unknown(run_id: UUID) -> NotFoundError:
    return NotFoundError(f"there is no task execution {run_id}", resource_id=str(run_id))
