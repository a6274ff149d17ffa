"""The catalog in memory, folded from the log by every replica: for lists and for what refers to what."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog

from cato_contracts.errors import BrokerError
from cato_contracts.paging import Collection
from cato_contracts.resources import NotificationSettings as NotificationSettingsView
from cato_contracts.resources import SubscriberGroup as SubscriberGroupView
from cato_contracts.resources import Task as TaskView
from cato_contracts.runs import RunSnapshot
from cato_dialer.campaign.domain.catalog.notification_settings import NotificationSettings
from cato_dialer.campaign.domain.catalog.subscriber_group import SubscriberGroup
from cato_dialer.campaign.domain.catalog.task import Task
from cato_dialer.campaign.handlers.catalog import Repositories
from cato_jetstream import Commit, Corrupt, Follower, Log, Record, Unavailable
from cato_runtime.tasks import end_tasks

log = structlog.get_logger()

_KINDS = (SubscriberGroup, NotificationSettings, Task)
_SUBJECTS = tuple(f"ev.{kind.TOPIC}.*" for kind in _KINDS)
_FRESH_TIMEOUT_S = 5.0
_RESTART_S = 1.0

Entry = SubscriberGroup | NotificationSettings | Task


@dataclass(frozen=True, slots=True)
class RunningTask:
    """A run that has been decided and is not over; `started_at` is when it was decided."""

    task_id: UUID
    snapshot: RunSnapshot
    started_at: datetime


class CatalogView:
    """Lists of everything that the log of the catalog says."""

    def __init__(self, events: Log, repositories: Repositories) -> None:
        self._events = events
        self._repositories = repositories
        self._listeners: list[Callable[[], None]] = []
        self._following: asyncio.Task[None] | None = None
        self._reset()

    def _reset(self) -> None:
        self.groups: Collection[SubscriberGroupView] = Collection()
        self.settings: Collection[NotificationSettingsView] = Collection()
        self.tasks: Collection[TaskView] = Collection()
        self._running: dict[UUID, RunningTask] = {}
        self._follower: Follower[tuple[Entry, int]] = Follower(
            self._events, _SUBJECTS, self._read, on_corrupt=_pass_over
        )

    async def start(self) -> None:
        """Begin to follow; returns when everything that is in the log now has been folded."""
        self._following = asyncio.create_task(self._follow())
        try:
            await self._follower.until_current()
        except Unavailable as error:
            raise BrokerError(str(error)) from error

    async def stop(self) -> None:
        await end_tasks(self._following)

    def on_change(self, listener: Callable[[], None]) -> None:
        """Have `listener` called whenever a run has been decided or is over."""
        self._listeners.append(listener)

    async def fresh(self) -> None:
        """Wait until the lists show everything that was in the log when this was called.

        So a client that asks any replica finds what it has written through any other.

        Raises:
            BrokerError: if that takes too long.

        """
        try:
            await self._follower.wait_for(await self._events.end(_SUBJECTS), _FRESH_TIMEOUT_S)
        except Unavailable as error:
            raise BrokerError(str(error)) from error

    @property
    def running(self) -> list[RunningTask]:
        """The runs that are not over, in the order of their start."""
        return sorted(self._running.values(), key=lambda run: run.started_at)

    def run(self, run_id: UUID) -> RunningTask | None:
        return next((run for run in self._running.values() if run.snapshot.run_id == run_id), None)

    def tasks_with_settings(self, settings_id: UUID) -> list[TaskView]:
        return [task for task in self.tasks.all() if task.settings == settings_id]

    def tasks_with_group(self, group_id: UUID) -> list[TaskView]:
        return [task for task in self.tasks.all() if group_id in task.groups]

    def tasks_with_file(self, file_id: UUID) -> list[TaskView]:
        return [task for task in self.tasks.all() if file_id in task.files]

    async def _follow(self) -> None:
        while True:
            try:
                await self._follower.run(self._fold)
            except Corrupt:
                log.exception("the log is shorter than what was read of it: reading all of it again")
            except Unavailable:
                log.exception("the connection to the log is closed for good")
                return
            await asyncio.sleep(_RESTART_S)
            self._reset()

    def _read(self, record: Record) -> tuple[Entry, int]:
        commit = Commit.from_record(record)
        repositories = {
            SubscriberGroup.TOPIC: self._repositories.groups,
            NotificationSettings.TOPIC: self._repositories.settings,
            Task.TOPIC: self._repositories.tasks,
        }
        repository = repositories.get(commit.type)
        if repository is None:
            raise Corrupt(f"commit {record.sequence} is of a {commit.type}")
        return repository.restore(commit), record.sequence  # type: ignore[attr-defined]

    def _fold(self, change: tuple[Entry, int]) -> None:
        entry, sequence = change
        match entry:
            case SubscriberGroup():
                _list(self.groups, entry, sequence)
            case NotificationSettings():
                _list(self.settings, entry, sequence)
            case Task():
                _list(self.tasks, entry, sequence)
                self._note_run(entry)

    def _note_run(self, task: Task) -> None:
        before = self._running.get(task.id)
        if task.running is None or task.started_at is None:
            self._running.pop(task.id, None)
        else:
            self._running[task.id] = RunningTask(task.id, task.running, task.started_at)
        if before != self._running.get(task.id):
            for listener in self._listeners:
                listener()


def _list(collection: Collection, entry: Entry, sequence: int) -> None:  # type: ignore[type-arg]
    # An entry that came into being and went again is put, too: its place in the order is its own.
    collection.put(entry.view(), sequence)
    if entry.removed:
        collection.drop(entry.id)


def _pass_over(record: Record, error: Corrupt) -> None:
    log.error("a commit cannot be read", subject=record.subject, sequence=record.sequence, reason=str(error))
