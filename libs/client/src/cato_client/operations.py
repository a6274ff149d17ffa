"""Every operation of the API as a value: what is sent, and how the answer is read."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from urllib.parse import quote
from uuid import UUID, uuid4

import httpx
from pydantic import BaseModel

from cato_client.models import (
    AudioFile,
    CallDetail,
    CallFilter,
    CallRecord,
    ExportFormat,
    Grouping,
    Model,
    NewTask,
    NotificationSettings,
    Page,
    Person,
    Report,
    Resource,
    Settings,
    Statistics,
    StatusDocument,
    Subscriber,
    SubscriberGroup,
    Task,
    TaskExec,
    TaskStart,
)

T = TypeVar("T")
M = TypeVar("M", bound=Model)
I = TypeVar("I")  # noqa: E741 - of an item

_JSON = "application/json"
_OCTETS = "application/octet-stream"
_CSV = "text/csv"


@dataclass(frozen=True, slots=True)
class Operation(Generic[T]):
    """A request, and `read`, which makes of a successful answer what the caller wants.

    The Idempotency-Key of one that changes something is made with it: an operation that is carried out again,
    by whichever client, is the same request.
    """

    method: str
    path: str
    read: Callable[[httpx.Response], T]
    parameters: Mapping[str, str | int] = field(default_factory=dict)
    content: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def add_audio_file(name: str, content: bytes) -> Operation[AudioFile]:
    """Add mp3, wav or raw PCM; the same bytes under the same name give the file that is there."""
    return _change("PUT", f"/audio-files/add/{_word(name)}", AudioFile, content, _OCTETS)


def get_audio_file(audio_id: UUID) -> Operation[AudioFile]:
    return _get(f"/audio-files/{audio_id}", AudioFile)


def get_audio_content(audio_id: UUID, *, alaw: bool = False) -> Operation[bytes]:
    """Get a WAV file, or the bare A-law bytes."""
    form = {"format": "alaw" if alaw else "wav"}
    return Operation("GET", f"/audio-files/{audio_id}/content", _bytes, form)


def list_audio_files(
    *, name: str | None = None, limit: int = 100, cursor: str | None = None
) -> Operation[Page[AudioFile]]:
    return _list("/audio-files", Page[AudioFile], name=name, limit=limit, cursor=cursor)


def remove_audio_file(audio_id: UUID) -> Operation[None]:
    return _remove(f"/audio-files/{audio_id}")


def add_subscriber_group(name: str, people: Sequence[Person]) -> Operation[SubscriberGroup]:
    return _change("PUT", f"/subscriber-groups/add/{_word(name)}", SubscriberGroup, _people(people))


def add_subscriber_group_csv(name: str, lines: bytes) -> Operation[SubscriberGroup]:
    """Add a group from CSV: `fullName,phones,emails`, several values in a field with `;`."""
    return _change("PUT", f"/subscriber-groups/add/{_word(name)}", SubscriberGroup, lines, _CSV)


def replace_subscriber_group(
    group_id: UUID, people: Sequence[Person], *, etag: str | None = None
) -> Operation[SubscriberGroup]:
    """Replace the people; with `etag`, only if the group is still at that version."""
    return _change("PUT", f"/subscriber-groups/{group_id}", SubscriberGroup, _people(people), etag=etag)


def get_subscriber_group(group_id: UUID) -> Operation[SubscriberGroup]:
    return _get(f"/subscriber-groups/{group_id}", SubscriberGroup)


def list_subscriber_groups(
    *, name: str | None = None, limit: int = 100, cursor: str | None = None
) -> Operation[Page[SubscriberGroup]]:
    return _list("/subscriber-groups", Page[SubscriberGroup], name=name, limit=limit, cursor=cursor)


def list_subscribers(
    group_id: UUID, *, limit: int = 1000, cursor: str | None = None
) -> Operation[Page[Subscriber]]:
    return _list(f"/subscriber-groups/{group_id}/subscribers", Page[Subscriber], limit=limit, cursor=cursor)


def remove_subscriber_group(group_id: UUID, *, etag: str | None = None) -> Operation[None]:
    return _remove(f"/subscriber-groups/{group_id}", etag)


def add_notification_settings(settings: Settings) -> Operation[NotificationSettings]:
    return _change("POST", "/notification-settings", NotificationSettings, _body(settings))


def replace_notification_settings(
    settings_id: UUID, settings: Settings, *, etag: str | None = None
) -> Operation[NotificationSettings]:
    path = f"/notification-settings/{settings_id}"
    return _change("PUT", path, NotificationSettings, _body(settings), etag=etag)


def get_notification_settings(settings_id: UUID) -> Operation[NotificationSettings]:
    return _get(f"/notification-settings/{settings_id}", NotificationSettings)


def list_notification_settings(
    *, name: str | None = None, limit: int = 100, cursor: str | None = None
) -> Operation[Page[NotificationSettings]]:
    path = "/notification-settings"
    return _list(path, Page[NotificationSettings], name=name, limit=limit, cursor=cursor)


def remove_notification_settings(settings_id: UUID, *, etag: str | None = None) -> Operation[None]:
    return _remove(f"/notification-settings/{settings_id}", etag)


def add_task(task: NewTask) -> Operation[Task]:
    return _change("POST", "/tasks", Task, _body(task))


def replace_task(task_id: UUID, task: NewTask, *, etag: str | None = None) -> Operation[Task]:
    return _change("PUT", f"/tasks/{task_id}", Task, _body(task), etag=etag)


def get_task(task_id: UUID) -> Operation[Task]:
    return _get(f"/tasks/{task_id}", Task)


def list_tasks(
    *, name: str | None = None, limit: int = 100, cursor: str | None = None
) -> Operation[Page[Task]]:
    return _list("/tasks", Page[Task], name=name, limit=limit, cursor=cursor)


def remove_task(task_id: UUID, *, etag: str | None = None) -> Operation[None]:
    return _remove(f"/tasks/{task_id}", etag)


def start_task(task_id: UUID) -> Operation[TaskStart]:
    """Start a task; while it is being executed: ConflictError, whose `resource_id` is the execution."""
    return _change("PUT", f"/tasks/{task_id}/start", TaskStart)


def get_status(run_id: UUID) -> Operation[StatusDocument]:
    """Get the status document with every subscriber."""
    return _get(f"/task-execs/{run_id}", StatusDocument)


def download_status(run_id: UUID) -> Operation[bytes]:
    """Get the status document as it is, to keep it."""
    return Operation("GET", f"/task-execs/{run_id}", _bytes)


def get_report(run_id: UUID) -> Operation[Report]:
    """Get the numbers alone."""
    whole = _get(f"/task-execs/{run_id}", StatusDocument, subscribers="none")
    return Operation(whole.method, whole.path, lambda answer: whole.read(answer).report, whole.parameters)


def list_task_execs(
    *,
    task_id: UUID | None = None,
    active: bool | None = None,
    limit: int = 100,
    cursor: str | None = None,
) -> Operation[Page[TaskExec]]:
    """List executions, newest first."""
    wanted = None if active is None else str(active).lower()
    return _list("/task-execs", Page[TaskExec], taskId=task_id, active=wanted, limit=limit, cursor=cursor)


def pause(run_id: UUID, *, hangup: bool = False) -> Operation[None]:
    return _control(run_id, "pause", hangup=hangup)


def resume(run_id: UUID) -> Operation[None]:
    return _control(run_id, "resume")


def stop(run_id: UUID, *, hangup: bool = False) -> Operation[None]:
    return _control(run_id, "stop", hangup=hangup)


def list_calls(
    where: CallFilter | None = None, *, limit: int = 100, cursor: str | None = None
) -> Operation[Page[CallRecord]]:
    """List calls of the history, the latest start first."""
    return _list("/calls", Page[CallRecord], **_conditions(where), limit=limit, cursor=cursor)


def get_call(call_id: UUID) -> Operation[CallDetail]:
    return _get(f"/calls/{call_id}", CallDetail)


def export_calls(where: CallFilter | None = None, *, form: ExportFormat = "csv") -> Operation[bytes]:
    """Get calls as a file, the earliest start first; for `Client.pieces`, as it may be large."""
    return Operation("GET", "/calls/export", _bytes, {**_conditions(where), "format": form})


def get_statistics(
    group_by: Grouping, where: CallFilter | None = None, *, time_zone: str | None = None
) -> Operation[Statistics]:
    """Get the figures of calls; `time_zone` is that of hours and days, None the configured one."""
    zone = {} if time_zone is None else {"timeZone": time_zone}
    return _get("/statistics", Statistics, **_conditions(where), **zone, groupBy=group_by)


def stream_reports(run_id: UUID) -> Operation[None]:
    """Follow an execution by server-sent events; for `Client.follow`."""
    headers = {"Accept": "text/event-stream"}
    return Operation("GET", f"/task-execs/{run_id}/stream", _nothing, headers=headers)


def _conditions(where: CallFilter | None) -> dict[str, str]:
    if where is None:
        return {}
    given: dict[str, str] = where.model_dump(mode="json", by_alias=True, exclude_none=True)
    return given


def _get(path: str, model: type[M], **parameters: str) -> Operation[M]:
    return Operation("GET", path, _reader(model), parameters)


def _list(path: str, model: type[Page[I]], **parameters: object) -> Operation[Page[I]]:
    given = {name: str(value) for name, value in parameters.items() if value is not None}
    return Operation("GET", path, _reader(model), given)


def _change(  # noqa: PLR0917 - in the order of a request
    method: str,
    path: str,
    model: type[M],
    content: bytes | None = None,
    media_type: str = _JSON,
    etag: str | None = None,
) -> Operation[M]:
    headers = {"Idempotency-Key": str(uuid4())} | _condition(etag)
    if content is not None:
        headers["Content-Type"] = media_type
    return Operation(method, path, _reader(model), {}, content, headers)


def _remove(path: str, etag: str | None = None) -> Operation[None]:
    return Operation("DELETE", path, _nothing, headers=_condition(etag))


def _control(run_id: UUID, verb: str, *, hangup: bool = False) -> Operation[None]:
    headers = {"Idempotency-Key": str(uuid4())}
    parameters = {"hangup": "true"} if hangup else {}
    return Operation("PUT", f"/task-execs/{run_id}/{verb}", _nothing, parameters, None, headers)


def _condition(etag: str | None) -> dict[str, str]:
    return {} if etag is None else {"If-Match": etag}


def _reader(model: type[M]) -> Callable[[httpx.Response], M]:
    def read(answer: httpx.Response) -> M:
        found = model.model_validate_json(answer.content)
        etag = answer.headers.get("ETag")
        return found.model_copy(update={"etag": etag}) if isinstance(found, Resource) and etag else found

    return read


def _bytes(answer: httpx.Response) -> bytes:
    return answer.content


def _nothing(_answer: httpx.Response) -> None:
    return None


def _body(model: BaseModel) -> bytes:
    return model.model_dump_json(by_alias=True, exclude_none=True).encode()


def _people(people: Sequence[Person]) -> bytes:
    listed = [{"fullName": one.full_name, "phones": one.phones, "emails": one.emails} for one in people]
    return json.dumps(listed, ensure_ascii=False).encode()


def _word(name: str) -> str:
    return quote(name, safe="")
