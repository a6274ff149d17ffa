"""The catalog in memory, folded from the log by every replica, for lists and for references."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog

from cato_contracts.api.resources import NotificationSettings as NotificationSettingsView
from cato_contracts.api.resources import SubscriberGroup as SubscriberGroupView
from cato_contracts.api.resources import Task as TaskView
from cato_contracts.messages.runs import RunSnapshot
from cato_contracts.paging import Collection
from cato_dialer.campaign.domain.catalog.exclusion_list import ExclusionList
from cato_dialer.campaign.domain.catalog.notification_settings import NotificationSettings
from cato_dialer.campaign.domain.catalog.subscriber_group import SubscriberGroup
from cato_dialer.campaign.domain.catalog.task import Task
from cato_dialer.campaign.handlers.resources import Resources
from cato_jetstream import Commit, Corrupt, Follower, Log, Record, Unavailable
from cato_runtime.process.tasks import end_tasks

log = structlog.get_logger()

_KINDS = (SubscriberGroup, NotificationSettings, Task, ExclusionList)
_SUBJECTS = tuple(f"ev.{kind.TOPIC}.*" for kind in _KINDS)
_CATCH_UP_TIMEOUT_S = 5.0
_RESTART_S = 1.0

Entry = SubscriberGroup | NotificationSettings | Task | ExclusionList


@dataclass(frozen=True, slots=True)
class RunningTask:
    """A run whose start is decided and which is not over. `started_at` is the time of that decision."""

    task_id: UUID
    snapshot: RunSnapshot
    started_at: datetime


class CatalogView:
    """The lists of groups, settings, tasks and exclusion lists, and the runs that are not over."""

    def __init__(
        self,
        events: Log,
        groups: Resources[SubscriberGroup],
        settings: Resources[NotificationSettings],
        tasks: Resources[Task],
        exclusion_lists: Resources[ExclusionList],
    ) -> None:
        self._events = events
        self._restore: dict[str, Callable[[Commit], Entry]] = {
            SubscriberGroup.TOPIC: groups.restore,
            NotificationSettings.TOPIC: settings.restore,
            Task.TOPIC: tasks.restore,
            ExclusionList.TOPIC: exclusion_lists.restore,
        }
        self._listeners: list[Callable[[], None]] = []
        self._following: asyncio.Task[None] | None = None
        self._reset()

    def _reset(self) -> None:
        self.groups: Collection[SubscriberGroupView] = Collection()
        self.settings: Collection[NotificationSettingsView] = Collection()
        self.tasks: Collection[TaskView] = Collection()
        self.exclusion_lists: Collection[ExclusionList] = Collection()
        self._running: dict[UUID, RunningTask] = {}
        self._follower: Follower[tuple[Entry, int]] = Follower(
            self._events, _SUBJECTS, self._read, on_corrupt=_skip
        )

    async def start(self) -> None:
        """Begin to follow the log. Return when the commits that are in it now are folded.

        Raises:
            BrokerError: if the log cannot be read.

        """
        self._following = asyncio.create_task(self._follow())
        await self._follower.until_current()

    async def stop(self) -> None:
        await end_tasks(self._following)

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call `listener` whenever the start of a run is decided or a run is over."""
        self._listeners.append(listener)

    async def catch_up(self) -> None:
        """Wait until the lists contain every commit that was in the log when this was called.

        So a client can read its own writes from any replica.

        Raises:
            BrokerError: if this takes too long.

        """
        await self._follower.wait_for(await self._events.end(_SUBJECTS), _CATCH_UP_TIMEOUT_S)

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
        settings = {one.id for one in self.settings.all() if one.opt_out_file == file_id}
        return [task for task in self.tasks.all() if file_id in task.files or task.settings in settings]

    def tasks_with_exclusions(self, list_id: UUID) -> list[TaskView]:
        return [task for task in self.tasks.all() if list_id in (task.exclusion_lists or ())]

    async def _follow(self) -> None:
        while True:
            try:
                await self._follower.run(self._fold)
            except Corrupt:
                log.exception("event log is shorter than its last read sequence, reading it from the start")
            except Unavailable:
                log.exception("connection to the event log is closed, catalog view stops")
                return
            await asyncio.sleep(_RESTART_S)
            self._reset()

    def _read(self, record: Record) -> tuple[Entry, int]:
        commit = Commit.from_record(record)
        restore = self._restore.get(commit.type)
        if restore is None:
            raise Corrupt(f"commit {record.sequence} has the unknown type {commit.type}")
        try:
            entry = restore(commit)
            if not isinstance(entry, ExclusionList):  # it is shown with the number of its numbers
                entry.view()
        except ValueError as error:  # of a model: one bad resource must not make the list unreadable
            raise Corrupt(f"commit {record.sequence} cannot be shown: {error}") from error
        return entry, record.sequence

    def _fold(self, change: tuple[Entry, int]) -> None:
        entry, sequence = change
        match entry:
            case SubscriberGroup():
                _list(self.groups, entry, sequence)
            case NotificationSettings():
                _list(self.settings, entry, sequence)
            case ExclusionList():
                self.exclusion_lists.put(entry, sequence)
                if entry.removed:
                    self.exclusion_lists.drop(entry.id)
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


def _list(
    collection: Collection,  # type: ignore[type-arg]
    entry: SubscriberGroup | NotificationSettings | Task,
    sequence: int,
) -> None:
    # A removed entry is put as well: a cursor may name the sequence of its creation.
    collection.put(entry.view(), sequence)
    if entry.removed:
        collection.drop(entry.id)


def _skip(record: Record, error: Corrupt) -> None:
    log.error(
        "unreadable commit skipped", subject=record.subject, sequence=record.sequence, reason=str(error)
    )
