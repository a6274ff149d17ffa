"""A task: whom to call, what to play, by which settings; and the run that is under way."""

from datetime import datetime
from typing import Self
from uuid import UUID

from eventsourcing.domain import Aggregate, event

from cato_contracts.errors import ConflictError, InvalidError
from cato_contracts.resources import Task as TaskView
from cato_contracts.resources import TaskSpec
from cato_contracts.runs import RunSnapshot
from cato_dialer.campaign.domain.catalog.ownership import Owned

_REMEMBERED_STARTS = 64


class Task(Owned, Aggregate):
    """Whether a run may start is decided here: two starts at once are one conflict of two commits.

    `running` is the run under way as it was decided, with `started_at`; `starts` are the runs that the latest
    start commands began.
    """

    TOPIC = "task"
    WHAT = "task"

    class Created(Aggregate.Created):
        TOPIC = "task-added"
        user_id: str
        spec: TaskSpec
        command_id: str
        digest: str

    class Replaced(Aggregate.Event):
        TOPIC = "task-replaced"
        user_id: str
        spec: TaskSpec
        command_id: str
        digest: str

    class Removed(Aggregate.Event):
        TOPIC = "task-removed"
        command_id: str
        digest: str

    class Started(Aggregate.Event):
        TOPIC = "task-started"
        snapshot: RunSnapshot
        command_id: str

    class RunEnded(Aggregate.Event):
        TOPIC = "task-run-ended"
        run_id: UUID

    @event(Created)
    def __init__(self, *, user_id: str, spec: TaskSpec, command_id: str, digest: str) -> None:
        self.user_id = user_id
        self.spec = spec
        self.removed = False
        self.digests = {command_id: digest}
        self.running: RunSnapshot | None = None
        self.started_at: datetime | None = None
        self.starts: dict[str, UUID] = {}

    @classmethod
    def add(
        cls,
        task_id: UUID,
        *,
        user_id: str,
        spec: TaskSpec,
        command_id: str,
        digest: str,
        timestamp: datetime,
    ) -> Self:
        check_times(spec)
        return cls._create(
            cls.Created,
            id=task_id,
            user_id=user_id,
            spec=spec,
            command_id=command_id,
            digest=digest,
            timestamp=timestamp,
        )

    @event(Replaced)
    def replace(
        self,
        *,
        user_id: str,
        spec: TaskSpec,
        command_id: str,
        digest: str,
        timestamp: datetime,  # noqa: ARG002 - of the event
    ) -> None:
        self.user_id = user_id
        self.spec = spec
        self._remember(command_id, digest)

    def remove(self, *, command_id: str, digest: str, timestamp: datetime) -> None:
        if self.running is not None:
            raise ConflictError("the task is being executed", resource_id=str(self.running.run_id))
        self._remove(command_id=command_id, digest=digest, timestamp=timestamp)

    @event(Removed)
    def _remove(self, *, command_id: str, digest: str, timestamp: datetime) -> None:  # noqa: ARG002 - of the event
        self.removed = True
        self._remember(command_id, digest)

    def check_startable(self, now: datetime) -> None:
        """Raise ConflictError if a run is under way, or it is too late for one."""
        if self.running is not None:
            raise ConflictError("the task is being executed", resource_id=str(self.running.run_id))
        if self.spec.expires_at is not None and self.spec.expires_at <= now:
            raise ConflictError(
                f"the task expired at {self.spec.expires_at.isoformat()}", resource_id=str(self.id)
            )

    def start(self, snapshot: RunSnapshot, *, command_id: str, timestamp: datetime) -> None:
        self.check_startable(timestamp)
        self._start(snapshot=snapshot, command_id=command_id, timestamp=timestamp)

    @event(Started)
    def _start(self, *, snapshot: RunSnapshot, command_id: str, timestamp: datetime) -> None:
        self.running = snapshot
        self.started_at = timestamp
        self.starts[command_id] = snapshot.run_id
        for oldest in list(self.starts)[:-_REMEMBERED_STARTS]:
            del self.starts[oldest]

    def end_run(self, run_id: UUID, *, timestamp: datetime) -> None:
        """Take note that a run is over; a repeated note changes nothing."""
        if self.running is not None and self.running.run_id == run_id:
            self._end_run(run_id=run_id, timestamp=timestamp)

    @event(RunEnded)
    def _end_run(self, *, run_id: UUID, timestamp: datetime) -> None:  # noqa: ARG002 - of the event
        self.running = None
        self.started_at = None

    def view(self) -> TaskView:
        return TaskView(id=self.id, user_id=self.user_id, version=self.version, **dict(self.spec))


def check_times(spec: TaskSpec) -> None:
    """Raise InvalidError if the task would be over before it begins."""
    if spec.start_at is not None and spec.expires_at is not None and spec.expires_at <= spec.start_at:
        raise InvalidError("expiresAt: must be later than startAt")
