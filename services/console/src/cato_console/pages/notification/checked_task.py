"""The task that is checked: what it consists of, in which versions, and what the person has seen of it."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from cato_client import operations
from cato_client.list_models import TaskCheck
from cato_client.models import AudioFile, NotificationSettings, SubscriberGroup, Task
from cato_console.http.visits import Visit

_DIGITS = 32


@dataclass(frozen=True, slots=True)
class CheckedTask:
    """A task with its message, lists and settings."""

    task: Task
    audio: AudioFile
    groups: Sequence[SubscriberGroup]
    settings: NotificationSettings

    @property
    def version(self) -> str:
        """Return a digest that changes with a list, the settings or the task, but not with its name."""
        parts = [self.task.model_dump_json(exclude={"name"})]
        parts += [f"{each.id} {each.etag}" for each in (self.settings, self.audio, *self.groups)]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:_DIGITS]

    def seen(self, check: TaskCheck) -> str:
        """Return what the form of a page with this check says: the version and the number of people."""
        return f"{self.version}.{check.subscribers}"

    def people_seen(self, seen: str) -> int | None:
        """Return the number of people that the form was about; None: something has changed since."""
        version, _, people = seen.partition(".")
        return int(people) if version == self.version and people.isdecimal() else None


async def read_task(visit: Visit, task_id: UUID) -> CheckedTask:
    """Read the task and what it consists of, with the token of the person, but not its lists."""
    api = visit.api
    task = await api.do(operations.get_task(task_id))
    audio, groups, settings = await asyncio.gather(
        api.do(operations.get_audio_file(task.files[0])),
        asyncio.gather(*(api.do(operations.get_subscriber_group(group)) for group in task.groups)),
        api.do(operations.get_notification_settings(task.settings)),
    )
    return CheckedTask(task, audio, groups, settings)
