"""The operations of the API: one function for each, which returns the request as a value."""

# ruff: noqa: PLC0414 - the operations of other modules are part of this module's interface

import json
from dataclasses import replace
from uuid import UUID

from cato_client.analysis_models import SqlTable, Statistics
from cato_client.group_operations import (
    add_subscriber_group as add_subscriber_group,
)
from cato_client.group_operations import (
    add_subscriber_group_csv as add_subscriber_group_csv,
)
from cato_client.group_operations import (
    add_subscriber_list as add_subscriber_list,
)
from cato_client.group_operations import (
    check_replacing_list as check_replacing_list,
)
from cato_client.group_operations import (
    check_subscriber_list as check_subscriber_list,
)
from cato_client.group_operations import (
    export_subscribers as export_subscribers,
)
from cato_client.group_operations import (
    export_subscribers_csv as export_subscribers_csv,
)
from cato_client.group_operations import (
    get_subscriber_group as get_subscriber_group,
)
from cato_client.group_operations import (
    list_subscriber_groups as list_subscriber_groups,
)
from cato_client.group_operations import (
    list_subscribers as list_subscribers,
)
from cato_client.group_operations import (
    remove_subscriber_group as remove_subscriber_group,
)
from cato_client.group_operations import (
    replace_subscriber_group as replace_subscriber_group,
)
from cato_client.group_operations import (
    replace_subscriber_group_csv as replace_subscriber_group_csv,
)
from cato_client.group_operations import (
    replace_subscriber_list as replace_subscriber_list,
)
from cato_client.list_models import TaskCheck
from cato_client.models import (
    AudioFile,
    CallDetail,
    CallFilter,
    CallPage,
    ExportDialect,
    ExportFormat,
    Grouping,
    Me,
    NewTask,
    NotificationSettings,
    Page,
    Settings,
    Station,
    Task,
    TaskStart,
)
from cato_client.operation import (
    OCTETS,
    Operation,
    body,
    change,
    file_form,
    get,
    list_page,
    path_word,
    read_bytes,
    reader,
    remove,
)
from cato_client.rule_operations import (
    add_exclusion_list as add_exclusion_list,
)
from cato_client.rule_operations import (
    add_exclusion_list_csv as add_exclusion_list_csv,
)
from cato_client.rule_operations import (
    exclude_number as exclude_number,
)
from cato_client.rule_operations import (
    get_contact_limits as get_contact_limits,
)
from cato_client.rule_operations import (
    get_excluded_number as get_excluded_number,
)
from cato_client.rule_operations import (
    get_exclusion_list as get_exclusion_list,
)
from cato_client.rule_operations import (
    get_pacing_rule as get_pacing_rule,
)
from cato_client.rule_operations import get_sip_trace as get_sip_trace
from cato_client.rule_operations import get_sip_trace_file as get_sip_trace_file
from cato_client.rule_operations import (
    list_audit as list_audit,
)
from cato_client.rule_operations import (
    list_excluded_numbers as list_excluded_numbers,
)
from cato_client.rule_operations import (
    list_exclusion_lists as list_exclusion_lists,
)
from cato_client.rule_operations import (
    list_pacing_rules as list_pacing_rules,
)
from cato_client.rule_operations import list_sip_traces as list_sip_traces
from cato_client.rule_operations import (
    put_contact_limits as put_contact_limits,
)
from cato_client.rule_operations import (
    put_pacing_rule as put_pacing_rule,
)
from cato_client.rule_operations import put_sip_trace as put_sip_trace
from cato_client.rule_operations import (
    readmit_number as readmit_number,
)
from cato_client.rule_operations import (
    remove_contact_limits as remove_contact_limits,
)
from cato_client.rule_operations import (
    remove_exclusion_list as remove_exclusion_list,
)
from cato_client.rule_operations import (
    remove_pacing_rule as remove_pacing_rule,
)
from cato_client.rule_operations import remove_sip_trace as remove_sip_trace
from cato_client.run_operations import (
    approve as approve,
)
from cato_client.run_operations import (
    download_run_subscribers as download_run_subscribers,
)
from cato_client.run_operations import (
    download_status as download_status,
)
from cato_client.run_operations import (
    export_run_subscribers as export_run_subscribers,
)
from cato_client.run_operations import (
    get_report as get_report,
)
from cato_client.run_operations import (
    get_status as get_status,
)
from cato_client.run_operations import (
    list_approvals as list_approvals,
)
from cato_client.run_operations import (
    list_invalid_numbers as list_invalid_numbers,
)
from cato_client.run_operations import (
    list_run_subscribers as list_run_subscribers,
)
from cato_client.run_operations import (
    list_task_execs as list_task_execs,
)
from cato_client.run_operations import (
    pause as pause,
)
from cato_client.run_operations import (
    reject as reject,
)
from cato_client.run_operations import (
    resume as resume,
)
from cato_client.run_operations import (
    stop as stop,
)
from cato_client.run_operations import (
    stream_all as stream_all,
)
from cato_client.run_operations import (
    stream_reports as stream_reports,
)


def add_audio_file(name: str, content: bytes, *, allow_silence: bool = False) -> Operation[AudioFile]:
    """Add an audio file. The same bytes under the same name return the existing file.

    Silence is rejected unless `allow_silence` is set. `warnings` of the file say what may not be understood.
    """
    put = change("PUT", f"/audio-files/add/{path_word(name)}", AudioFile, content, OCTETS)
    return replace(put, parameters={"allowSilence": "true"}) if allow_silence else put


def get_audio_file(audio_id: UUID) -> Operation[AudioFile]:
    return get(f"/audio-files/{audio_id}", AudioFile)


def get_audio_content(audio_id: UUID, *, alaw: bool = False) -> Operation[bytes]:
    """Get the audio as a WAV file, or as A-law bytes without a header."""
    form = {"format": "alaw" if alaw else "wav"}
    return Operation("GET", f"/audio-files/{audio_id}/content", read_bytes, form)


def list_audio_files(
    *, name: str | None = None, limit: int = 100, cursor: str | None = None
) -> Operation[Page[AudioFile]]:
    return list_page("/audio-files", Page[AudioFile], name=name, limit=limit, cursor=cursor)


def remove_audio_file(audio_id: UUID) -> Operation[None]:
    return remove(f"/audio-files/{audio_id}")


def add_notification_settings(settings: Settings) -> Operation[NotificationSettings]:
    return change("POST", "/notification-settings", NotificationSettings, body(settings))


def replace_notification_settings(
    settings_id: UUID, settings: Settings, *, etag: str | None = None
) -> Operation[NotificationSettings]:
    path = f"/notification-settings/{settings_id}"
    return change("PUT", path, NotificationSettings, body(settings), etag=etag)


def get_notification_settings(settings_id: UUID) -> Operation[NotificationSettings]:
    return get(f"/notification-settings/{settings_id}", NotificationSettings)


def list_notification_settings(
    *, name: str | None = None, limit: int = 100, cursor: str | None = None
) -> Operation[Page[NotificationSettings]]:
    path = "/notification-settings"
    return list_page(path, Page[NotificationSettings], name=name, limit=limit, cursor=cursor)


def remove_notification_settings(settings_id: UUID, *, etag: str | None = None) -> Operation[None]:
    return remove(f"/notification-settings/{settings_id}", etag)


def add_task(task: NewTask) -> Operation[Task]:
    return change("POST", "/tasks", Task, body(task))


def replace_task(task_id: UUID, task: NewTask, *, etag: str | None = None) -> Operation[Task]:
    return change("PUT", f"/tasks/{task_id}", Task, body(task), etag=etag)


def get_task(task_id: UUID) -> Operation[Task]:
    return get(f"/tasks/{task_id}", Task)


def list_tasks(
    *, name: str | None = None, limit: int = 100, cursor: str | None = None
) -> Operation[Page[Task]]:
    return list_page("/tasks", Page[Task], name=name, limit=limit, cursor=cursor)


def remove_task(task_id: UUID, *, etag: str | None = None) -> Operation[None]:
    return remove(f"/tasks/{task_id}", etag)


def start_task(task_id: UUID) -> Operation[TaskStart]:
    """Start a task. If it is running already: ConflictError, whose `resource_id` is the execution."""
    return change("PUT", f"/tasks/{task_id}/start", TaskStart)


def check_task(task_id: UUID) -> Operation[TaskCheck]:
    """Say what a task would do if it were started now; nobody is called."""
    return Operation("POST", f"/tasks/{task_id}/check", reader(TaskCheck))


def test_call(task_id: UUID, number: str) -> Operation[TaskStart]:
    """Call one number with the message and the settings of a task."""
    content = json.dumps({"number": number}).encode()
    return change("POST", f"/tasks/{task_id}/test-call", TaskStart, content)


def repeat_unreached(task_id: UUID, run_id: UUID | None = None) -> Operation[TaskStart]:
    """Start a task for those whom an earlier execution (by default the latest) has not reached."""
    operation = change("POST", f"/tasks/{task_id}/repeat-unreached", TaskStart)
    return operation if run_id is None else replace(operation, parameters={"taskExecId": str(run_id)})


def list_calls(
    where: CallFilter | None = None, *, limit: int = 100, cursor: str | None = None
) -> Operation[CallPage]:
    """List the calls in the history, the latest start first."""
    return list_page("/calls", CallPage, **_conditions(where), limit=limit, cursor=cursor)


def get_call(call_id: UUID) -> Operation[CallDetail]:
    return get(f"/calls/{call_id}", CallDetail)


def export_calls(
    where: CallFilter | None = None,
    *,
    form: ExportFormat = "csv",
    dialect: ExportDialect = "standard",
    time_zone: str | None = None,
) -> Operation[bytes]:
    """Get calls as a file, the earliest start first. It may be large: use `Client.pieces`.

    `time_zone` is the zone of local times in Excel's dialect and in XLSX, by default the configured one.
    """
    parameters = _conditions(where) | file_form(form, dialect, time_zone)
    return Operation("GET", "/calls/export", read_bytes, parameters)


def get_statistics(
    group_by: Grouping, where: CallFilter | None = None, *, time_zone: str | None = None
) -> Operation[Statistics]:
    """Get statistics of calls; hours and days are in `time_zone`, by default the configured one."""
    zone = {} if time_zone is None else {"timeZone": time_zone}
    return get("/statistics", Statistics, **_conditions(where), **zone, groupBy=group_by)


def get_me() -> Operation[Me]:
    """Get the user and the permissions of the client's token."""
    return get("/me", Me)


def list_stations() -> Operation[Page[Station]]:
    """List the stations, and whether they respond. There is one page."""
    return list_page("/stations", Page[Station])


def run_sql(statement: str, **parameters: str) -> Operation[SqlTable]:
    """Execute one SELECT over the views for analysts; `parameters` are the values of its placeholders."""
    content = json.dumps({"sql": statement, "parameters": parameters}, ensure_ascii=False).encode()
    return change("POST", "/sql", SqlTable, content)


def run_sql_csv(statement: str, **parameters: str) -> Operation[bytes]:
    """Execute one SELECT over the views for analysts; the result is CSV."""
    asked = run_sql(statement, **parameters)
    return Operation(asked.method, asked.path, read_bytes, {"format": "csv"}, asked.content, asked.headers)


def _conditions(where: CallFilter | None) -> dict[str, str]:
    if where is None:
        return {}
    given: dict[str, str] = where.model_dump(mode="json", by_alias=True, exclude_none=True)
    return given
