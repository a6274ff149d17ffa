"""A task: groups to call, audio files to play, settings to call by, and the run in progress."""

from datetime import datetime
from typing import Self
from uuid import UUID

from eventsourcing.domain import Aggregate, event

from cato_contracts.api.resources import Task as TaskView
from cato_contracts.api.resources import TaskSpec
from cato_contracts.errors import ConflictError, InvalidError
from cato_contracts.messages.runs import RunSnapshot
from cato_dialer.campaign.domain.catalog.ownership import CatalogCreated, CatalogEvent, CatalogResource

_REMEMBERED_STARTS = 64


class Task(CatalogResource, Aggregate):
    """The task decides whether a run may start, so of two concurrent starts one gets a conflict.

    `running` is the snapshot of the run in progress, decided at `started_at`. `starts` maps the latest start
    commands to their runs: a start that is repeated after its run has ended still answers with that run.
    """

    TOPIC = "task"
    WHAT = "task"

    class Created(CatalogCreated):
        TOPIC = "task-added"
        user_id: str
        spec: TaskSpec

    class Replaced(CatalogEvent):
        TOPIC = "task-replaced"
        user_id: str
        spec: TaskSpec

    class Removed(CatalogEvent):
        TOPIC = "task-removed"

    class Started(Aggregate.Event):
        TOPIC = "task-started"
        snapshot: RunSnapshot
        command_id: str

    class RunEnded(Aggregate.Event):
        TOPIC = "task-run-ended"
        run_id: UUID

    @event(Created)
    def __init__(self, *, user_id: str, spec: TaskSpec) -> None:
        self.user_id = user_id
        self.spec = spec
        self.removed = False
        self.running: RunSnapshot | None = None
        self.started_at: datetime | None = None
        self.starts: dict[str, UUID] = {}

    @classmethod
    def add(cls, task_id: UUID, *, user_id: str, spec: TaskSpec, timestamp: datetime) -> Self:
        check_times(spec)
        return cls._create(cls.Created, id=task_id, user_id=user_id, spec=spec, timestamp=timestamp)

    def replace(self, *, user_id: str, spec: TaskSpec, timestamp: datetime) -> None:
        check_times(spec)
        self._replace(user_id=user_id, spec=spec, timestamp=timestamp)

    @event(Replaced)
    def _replace(self, *, user_id: str, spec: TaskSpec, timestamp: datetime) -> None:  # noqa: ARG002 - of the event
        self.user_id = user_id
        self.spec = spec

    def remove(self, *, timestamp: datetime) -> None:
        self._check_not_running()
        self._remove(timestamp=timestamp)

    @event(Removed)
    def _remove(self, *, timestamp: datetime) -> None:  # noqa: ARG002 - of the event
        self.removed = True

    def check_startable(self, now: datetime) -> None:
        """Raise ConflictError if a run is in progress or the task has expired."""
        self._check_not_running()
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
        """Record that the run is over. A repeated call changes nothing."""
        if self.running is not None and self.running.run_id == run_id:
            self._end_run(run_id=run_id, timestamp=timestamp)

    @event(RunEnded)
    def _end_run(self, *, run_id: UUID, timestamp: datetime) -> None:  # noqa: ARG002 - of the event
        self.running = None
        self.started_at = None

    def view(self) -> TaskView:
        return TaskView(id=self.id, user_id=self.user_id, version=self.version, **dict(self.spec))

    def _check_not_running(self) -> None:
        if self.running is not None:
            raise ConflictError("the task is being executed", resource_id=str(self.running.run_id))


def check_times(spec: TaskSpec) -> None:
    """Raise InvalidError if the task would expire before it begins."""
    if spec.start_at is not None and spec.expires_at is not None and spec.expires_at <= spec.start_at:
        raise InvalidError("expiresAt must be later than startAt")
