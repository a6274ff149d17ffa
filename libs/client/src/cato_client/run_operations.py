"""The operations on executions: status, control, streams, subscribers."""

import json
from uuid import UUID

from cato_client.models import (
    Approval,
    ExportDialect,
    ExportFormat,
    InvalidNumber,
    ListFileFormat,
    Page,
    Report,
    RunSubscriber,
    StatusDocument,
    SubscriberFilter,
    TaskExec,
)
from cato_client.operation import (
    Operation,
    change,
    control,
    file_form,
    get,
    list_page,
    read_bytes,
    read_nothing,
)


def get_status(
    run_id: UUID,
    *,
    subscribers: SubscriberFilter = "all",
    events: bool = True,
    limit: int | None = None,
    cursor: str | None = None,
) -> Operation[StatusDocument]:
    """Get the status document: of all subscribers at once, or with `limit` one page of them."""
    return get(f"/task-execs/{run_id}", StatusDocument, **_part(subscribers, limit, cursor, events=events))


def download_status(
    run_id: UUID, *, subscribers: SubscriberFilter = "all", events: bool = True
) -> Operation[bytes]:
    """Get the status document as JSON text, unchanged. It may be large: use `Client.pieces`."""
    return Operation(
        "GET", f"/task-execs/{run_id}", read_bytes, _part(subscribers, None, None, events=events)
    )


def get_report(run_id: UUID) -> Operation[Report]:
    """Get the report without subscribers."""
    whole = get(f"/task-execs/{run_id}", StatusDocument, subscribers="none")
    return Operation(whole.method, whole.path, lambda answer: whole.read(answer).report, whole.parameters)


def list_task_execs(
    *,
    run_id: UUID | None = None,
    task_id: UUID | None = None,
    active: bool | None = None,
    limit: int = 100,
    cursor: str | None = None,
) -> Operation[Page[TaskExec]]:
    """List executions, newest first; with `run_id` that one, if there is such."""
    wanted = None if active is None else str(active).lower()
    given = {"id": run_id, "taskId": task_id, "active": wanted, "limit": limit, "cursor": cursor}
    return list_page("/task-execs", Page[TaskExec], **given)


def pause(run_id: UUID, *, hangup: bool = False) -> Operation[None]:
    return control(run_id, "pause", hangup=hangup)


def resume(run_id: UUID) -> Operation[None]:
    return control(run_id, "resume")


def stop(run_id: UUID, *, hangup: bool = False) -> Operation[None]:
    return control(run_id, "stop", hangup=hangup)


def list_approvals(*, limit: int = 100, cursor: str | None = None) -> Operation[Page[TaskExec]]:
    """List the executions of all users that wait for an approval, newest first."""
    return list_page("/approvals", Page[TaskExec], limit=limit, cursor=cursor)


def approve(run_id: UUID, *, comment: str | None = None) -> Operation[Approval]:
    """Approve an execution that another user has started: its calls begin."""
    return change("POST", f"/task-execs/{run_id}/approve", Approval, _decision(comment))


def reject(run_id: UUID, *, comment: str | None = None) -> Operation[Approval]:
    """Reject an execution that waits for an approval: it ends without a call."""
    return change("POST", f"/task-execs/{run_id}/reject", Approval, _decision(comment))


def _decision(comment: str | None) -> bytes:
    return json.dumps({} if comment is None else {"comment": comment}).encode()


def export_run_subscribers(
    run_id: UUID,
    *,
    subscribers: SubscriberFilter = "all",
    form: ExportFormat = "csv",
    dialect: ExportDialect = "standard",
    time_zone: str | None = None,
) -> Operation[bytes]:
    """Get the subscribers of an execution as a file, reached or not. It may be large: use `Client.pieces`."""
    parameters = file_form(form, dialect, time_zone)
    if subscribers != "all":
        parameters["subscribers"] = subscribers
    return Operation("GET", f"/task-execs/{run_id}/subscribers/export", read_bytes, parameters)


def list_run_subscribers(
    run_id: UUID,
    *,
    which: SubscriberFilter = "all",
    name: str | None = None,
    number: str | None = None,
    reason: str | None = None,
    limit: int = 100,
    cursor: str | None = None,
) -> Operation[Page[RunSubscriber]]:
    """List the subscribers of an execution with their results, those that meet every condition."""
    given: dict[str, object] = {"name": name, "number": number, "reason": reason, "cursor": cursor}
    if which != "all":
        given["filter"] = which
    path = f"/task-execs/{run_id}/subscribers"
    return list_page(path, Page[RunSubscriber], limit=limit, **given)


def download_run_subscribers(
    run_id: UUID,
    *,
    which: SubscriberFilter = "all",
    form: ListFileFormat = "csv",
    dialect: ExportDialect = "standard",
) -> Operation[bytes]:
    """Get the subscribers of an execution as a file; `export_run_subscribers` has more formats."""
    parameters = {"filter": which, **file_form(form, dialect, None)}
    return Operation("GET", f"/task-execs/{run_id}/subscribers", read_bytes, parameters)


def list_invalid_numbers(
    run_id: UUID, *, limit: int = 100, cursor: str | None = None
) -> Operation[Page[InvalidNumber]]:
    """List the numbers whose last call in an execution says that they do not exist."""
    return list_page(f"/task-execs/{run_id}/invalid-numbers", Page[InvalidNumber], limit=limit, cursor=cursor)


def stream_reports(run_id: UUID) -> Operation[None]:
    """Stream the reports of an execution as server-sent events, for `Client.follow`."""
    headers = {"Accept": "text/event-stream"}
    return Operation("GET", f"/task-execs/{run_id}/stream", read_nothing, headers=headers)


def stream_all(*, max_s: int | None = None) -> Operation[None]:
    """Stream all executions that one may see as server-sent events, for `Client.follow_all`."""
    parameters = {} if max_s is None else {"maxS": max_s}
    return Operation("GET", "/stream", read_nothing, parameters, headers={"Accept": "text/event-stream"})


def _part(
    subscribers: SubscriberFilter, limit: int | None, cursor: str | None, *, events: bool
) -> dict[str, str]:
    """Return the parameters of a status document without those that have their default value."""
    given = {
        "subscribers": None if subscribers == "all" else subscribers,
        "events": None if events else "false",
        "limit": limit,
        "cursor": cursor,
    }
    return {name: str(value) for name, value in given.items() if value is not None}
