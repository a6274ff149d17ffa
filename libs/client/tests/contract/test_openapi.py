"""The client and docs/openapi.json describe the same API: operations, query parameters and fields."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from cato_client import (
    analysis_models,
    group_operations,
    list_models,
    models,
    operations,
    rule_operations,
    run_operations,
)
from cato_client.models import CallFilter
from cato_client.models.rules import (
    AuditRecord,
    CallLimit,
    ContactLimits,
    PacingBounds,
    PacingRule,
    SipTrace,
    StoredContactLimits,
    TraceOrder,
)
from cato_client.operation import Operation

DOCUMENT = json.loads((Path(__file__).parents[4] / "docs/openapi.json").read_text())
PREFIX = "/api/v1"
ID = uuid4()
NOW = datetime(2026, 1, 1, tzinfo=UTC)
PERSON = models.Person(full_name="Ivan Potapov", phones=["776413"])
SETTINGS = models.Settings(name="calm", attempt_count=1, success_condition="PICKUP_PHONE")
TRACE = TraceOrder(station_id=ID, number="776413", for_s=60, format="PCAP", masked=False)
PACING = PacingBounds(prefixes=["+7495"], max_calls=2, max_calls_per_s=1.5, station_id=ID)
CONTACTS = ContactLimits(limits=[CallLimit(max_calls=3, per_s=86_400)], min_gap_s=3_600, over="TASK")
TASK = models.NewTask(name="flood", settings=ID, files=[ID], groups=[ID])
CALLS = CallFilter(
    since=NOW,
    until=NOW,
    number="776413",
    name="ivan",
    task_exec_id=ID,
    station_id=ID,
    outcome="failed",
    sip_call_id="a@b",
)
_MODULES = (operations, group_operations, rule_operations, run_operations)
PAGE: dict[str, Any] = {"limit": 10, "cursor": "c"}

OPERATIONS: list[Operation[Any]] = [
    operations.add_audio_file("a", b"", allow_silence=True),
    operations.get_audio_file(ID),
    operations.get_audio_content(ID),
    operations.list_audio_files(name="a", **PAGE),
    operations.remove_audio_file(ID),
    operations.add_subscriber_group("a", [PERSON]),
    operations.add_subscriber_group_csv("a", b""),
    operations.replace_subscriber_group(ID, [PERSON]),
    operations.replace_subscriber_group_csv(ID, b""),
    operations.add_subscriber_list("a", b"", "text/csv", columns="phones:Mobile"),
    operations.check_subscriber_list(b"", "text/csv", columns="phones:Mobile"),
    operations.replace_subscriber_list(ID, b"", "text/csv", columns="phones:Mobile"),
    operations.check_replacing_list(ID, b"", "text/csv", columns="phones:Mobile"),
    operations.get_subscriber_group(ID),
    operations.list_subscriber_groups(name="a", **PAGE),
    operations.list_subscribers(ID, **PAGE),
    operations.export_subscribers_csv(ID),
    operations.export_subscribers(ID, form="csv", dialect="excel"),
    operations.remove_subscriber_group(ID),
    operations.add_exclusion_list("a", [models.ExcludedNumber(number="776413")], scope="SYSTEM"),
    operations.add_exclusion_list_csv("a", b""),
    operations.get_exclusion_list(ID),
    operations.list_exclusion_lists(name="a", **PAGE),
    operations.list_excluded_numbers(ID, **PAGE),
    operations.get_excluded_number(ID, "776413"),
    operations.exclude_number(ID, "776413", reason="asked", expires_at=NOW),
    operations.readmit_number(ID, "776413"),
    operations.remove_exclusion_list(ID),
    operations.add_notification_settings(SETTINGS),
    operations.replace_notification_settings(ID, SETTINGS),
    operations.get_notification_settings(ID),
    operations.list_notification_settings(name="a", **PAGE),
    operations.remove_notification_settings(ID),
    operations.add_task(TASK),
    operations.replace_task(ID, TASK),
    operations.get_task(ID),
    operations.list_tasks(name="a", **PAGE),
    operations.remove_task(ID),
    operations.start_task(ID),
    operations.check_task(ID),
    operations.test_call(ID, "776413"),
    operations.repeat_unreached(ID, ID),
    operations.get_status(ID, subscribers="unreached", events=False, **PAGE),
    operations.download_status(ID),
    operations.get_report(ID),
    operations.list_task_execs(run_id=ID, task_id=ID, active=True, **PAGE),
    operations.pause(ID, hangup=True),
    operations.resume(ID),
    operations.stop(ID, hangup=True),
    operations.list_approvals(**PAGE),
    operations.approve(ID, comment="agreed"),
    operations.reject(ID),
    operations.stream_reports(ID),
    operations.stream_all(max_s=1),
    operations.list_calls(CALLS, **PAGE),
    operations.get_call(ID),
    operations.export_calls(CALLS, dialect="excel", time_zone="UTC"),
    operations.export_run_subscribers(
        ID, subscribers="unreached", form="xlsx", dialect="excel", time_zone="UTC"
    ),
    operations.list_run_subscribers(
        ID, which="unreached", name="ivan", number="776413", reason="busy", **PAGE
    ),
    operations.download_run_subscribers(ID, which="failed", form="csv", dialect="excel"),
    operations.list_invalid_numbers(ID, **PAGE),
    operations.get_statistics("day", CALLS, time_zone="UTC"),
    operations.run_sql("SELECT 1", run="x"),
    operations.run_sql_csv("SELECT 1"),
    operations.list_stations(),
    operations.list_audit(**PAGE),
    operations.put_pacing_rule("a", PACING),
    operations.get_pacing_rule("a"),
    operations.list_pacing_rules(),
    operations.remove_pacing_rule("a"),
    operations.put_sip_trace("a", TRACE),
    operations.get_sip_trace("a"),
    operations.list_sip_traces(),
    operations.get_sip_trace_file("a"),
    operations.remove_sip_trace("a"),
    operations.put_contact_limits(CONTACTS, scope="SYSTEM"),
    operations.get_contact_limits(),
    operations.remove_contact_limits(),
    operations.get_me(),
]

MODELS: dict[str, type[models.Model]] = {
    "AudioFileView": models.AudioFile,
    "Approval": models.Approval,
    "CheckWarning": list_models.CheckWarning,
    "TaskCheck": list_models.TaskCheck,
    "CallDetail": models.CallDetail,
    "CallEventView": models.CallEvent,
    "CallRecord": models.CallRecord,
    "CallStatistics": analysis_models.CallStatistics,
    "CallView": models.Call,
    "Calls": models.CallPage,
    "ExcludedNumberView": models.ExcludedNumber,
    "ExclusionListView": models.ExclusionList,
    "FoundSubscriber": models.FoundSubscriber,
    "InvalidNumber": models.InvalidNumber,
    "ListColumn": list_models.ListColumn,
    "ListDuplicates": list_models.ListDuplicates,
    "ListFault": list_models.ListFault,
    "Me": models.Me,
    "AuditRecord": AuditRecord,
    "PacingRule": PacingRule,
    "SipTrace": SipTrace,
    "StoredContactLimits": StoredContactLimits,
    "CallLimit": CallLimit,
    "PhoneView": models.Phone,
    "Report": models.Report,
    "SubscriberRecord": models.RunSubscriber,
    "LocalTime": models.LocalTime,
    "RetryRule": models.RetryRule,
    "StationFailure": models.StationFailure,
    "StationView": models.Station,
    "SettingsView": models.NotificationSettings,
    "Statistics": analysis_models.Statistics,
    "SqlColumn": analysis_models.SqlColumn,
    "SqlTable": analysis_models.SqlTable,
    "StatusDocument": models.StatusDocument,
    "SubscriberGroupView": models.SubscriberGroup,
    "SubscriberLine": models.Subscriber,
    "SubscriberListCheck": list_models.ListCheck,
    "SubscriberStatus": models.SubscriberStatus,
    "SubscriberView": models.Person,
    "TaskExec": models.TaskExec,
    "TaskStart": models.TaskStart,
    "TaskView": models.Task,
    "TimeRestrictions": models.TimeRestrictions,
    "ZoneOutOfHours": list_models.ZoneOutOfHours,
}


def documented() -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method.upper(), path.removeprefix(PREFIX)): operation
        for path, methods in DOCUMENT["paths"].items()
        if path.startswith(PREFIX)
        for method, operation in methods.items()
    }


def place(operation: Operation[Any]) -> tuple[str, str]:
    """The method and the path template that this operation belongs to."""
    exact = (operation.method, operation.path)
    found = [
        (method, path)
        for method, path in documented()
        if method == operation.method and re.fullmatch(re.sub(r"{\w+}", "[^/]+", path), operation.path)
    ]
    return exact if exact in found else found[0]


def test_every_operation_of_the_document_is_in_the_client():
    assert {place(operation) for operation in OPERATIONS} == set(documented())


def test_every_operation_of_the_client_is_checked_here():
    public = {name for name in vars(operations) if re.match(r"[a-z]", name)}
    functions = {
        name
        for name in public
        if getattr(vars(operations)[name], "__annotations__", {}).get("return") is not None
        and getattr(vars(operations)[name], "__module__", "") in {module.__name__ for module in _MODULES}
    }
    assert len(functions) == len(OPERATIONS)


def test_every_query_parameter_of_the_document_can_be_given():
    given: dict[tuple[str, str], set[str]] = {}
    for operation in OPERATIONS:
        given.setdefault(place(operation), set()).update(operation.parameters)
    for where, operation in documented().items():
        parameters = {item["name"] for item in operation.get("parameters", ()) if item["in"] == "query"}
        assert given[where] == parameters, where


@pytest.mark.parametrize("schema", MODELS)
def test_a_model_has_the_fields_of_its_schema(schema: str):
    fields = {
        field.serialization_alias or field.alias or name
        for name, field in MODELS[schema].model_fields.items()
        if not field.exclude
    }
    assert fields == set(DOCUMENT["components"]["schemas"][schema]["properties"])


def test_the_fields_that_a_client_sends_are_those_of_the_document():
    schemas = DOCUMENT["components"]["schemas"]
    for model, schema in ((models.Settings, "SettingsBody"), (models.NewTask, "TaskBody")):
        fields = {field.alias for field in model.model_fields.values()}
        # Only administrators set the owner, and they use the console.
        assert fields == set(schemas[schema]["properties"]) - {"userId"}
