"""Names and ids: what a person gives, and the resource that is meant."""

from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

from cato_cli.problems import UsageProblemError
from cato_client import Client, operations
from cato_client.models import (
    AudioFile,
    ExclusionList,
    NotificationSettings,
    Page,
    Resource,
    SubscriberGroup,
    Task,
    TaskExec,
)
from cato_client.operation import Operation

R = TypeVar("R", bound=Resource)


def find_audio(client: Client, text: str) -> AudioFile:
    """Return the audio file with this id or name."""
    return _find(
        client,
        text,
        operations.get_audio_file,
        lambda cursor: operations.list_audio_files(name=text, cursor=cursor),
        "audio file",
        "cato audio list",
    )


def find_group(client: Client, text: str) -> SubscriberGroup:
    """Return the group with this id or name."""
    return _find(
        client,
        text,
        operations.get_subscriber_group,
        lambda cursor: operations.list_subscriber_groups(name=text, cursor=cursor),
        "group",
        "cato group list",
    )


def find_settings(client: Client, text: str) -> NotificationSettings:
    """Return the settings with this id or name."""
    return _find(
        client,
        text,
        operations.get_notification_settings,
        lambda cursor: operations.list_notification_settings(name=text, cursor=cursor),
        "settings",
        "cato settings list",
    )


def find_exclusion_list(client: Client, text: str) -> ExclusionList:
    """Return the exclusion list with this id or name."""
    return _find(
        client,
        text,
        operations.get_exclusion_list,
        lambda cursor: operations.list_exclusion_lists(name=text, cursor=cursor),
        "exclusion list",
        "cato exclusion list",
    )


def find_run(client: Client, text: str | None) -> TaskExec:
    """Return the execution with this id, the latest one of the task with this name, or the latest of all.

    Raises:
        UsageProblemError: if there is none.

    """
    if text is None:
        found = client.do(operations.list_task_execs(limit=1)).items
        if not found:
            raise UsageProblemError("nothing has been started yet (cato call)")
        return found[0]
    if (run_id := _id(text)) is not None:
        found = client.do(operations.list_task_execs(run_id=run_id)).items
        if not found:
            raise UsageProblemError(f"there is no execution {run_id}; see: cato runs --all")
        return found[0]
    tasks = [task for task in _all(client, text) if task.name == text]
    runs = [
        run for task in tasks for run in client.do(operations.list_task_execs(task_id=task.id, limit=1)).items
    ]
    if not runs:
        raise UsageProblemError(f"there is no execution of a task named {text!r}; see: cato runs --all")
    return max(runs, key=lambda run: run.started_at)


def _all(client: Client, name: str) -> list[Task]:
    return list(client.each(lambda cursor: operations.list_tasks(name=name, cursor=cursor)))


def _find(  # noqa: PLR0917 - in the order of a sentence
    client: Client,
    text: str,
    get: Callable[[UUID], Operation[R]],
    page: Callable[[str | None], Operation[Page[R]]],
    what: str,
    listing: str,
) -> R:
    if (resource_id := _id(text)) is not None:
        return client.do(get(resource_id))
    found = [each for each in client.each(page) if each.name == text]
    if not found:
        raise UsageProblemError(f"there is no {what} named {text!r}; those that there are: {listing}")
    if len(found) > 1:
        ids = ", ".join(str(each.id) for each in found)
        raise UsageProblemError(f"{len(found)} have the name {text!r}; give an id: {ids}")
    return found[0]


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
