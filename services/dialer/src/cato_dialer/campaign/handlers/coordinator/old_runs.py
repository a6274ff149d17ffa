"""Runs that have ended and have left the log, or are about to."""

from datetime import timedelta
from uuid import UUID

from cato_contracts.objects import Bucket, ObjectRef
from cato_contracts.subjects import archived_life, run_life
from cato_dialer.campaign.domain.run.run import Run
from cato_dialer.campaign.handlers.deps import Deps
from cato_jetstream import Commit, Record
from cato_runtime.objects import ObjectMissingError


async def archived_commit(deps: Deps, run_id: UUID) -> Commit | None:
    """Return the last commit of a run that has left the log, None if there is no such run."""
    ref = ObjectRef(bucket=Bucket.ARCHIVE, name=archived_life(run_id), size=0)
    try:
        data = await deps.objects.get(ref)
    except ObjectMissingError:
        return None
    return Commit.from_record(Record(run_life(run_id), 0, data))


async def archived_run(deps: Deps, run_id: UUID) -> Run | None:
    """Return a run that has left the log, as it ended."""
    commit = await archived_commit(deps, run_id)
    return None if commit is None else deps.runs.restore(commit)


async def forget_old_runs(deps: Deps, task_id: UUID) -> None:
    """Remove the starts and ends of old runs from the log of their task, whose last commit has its state."""
    days = deps.config.retention.log_days
    if days is not None:
        await deps.tasks.forget_runs(task_id, before=deps.clock.now() - timedelta(days=days))
