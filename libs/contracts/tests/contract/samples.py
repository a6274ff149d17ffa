"""One example of every message; a golden file holds the encoding of each."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from cato_contracts.api import checks, exports, history, sql, stations, status
from cato_contracts.api.resources import (
    NotificationSettings,
    SettingsSpec,
    SuccessCondition,
    TaskSpec,
)
from cato_contracts.api.rules import approvals, invalid_numbers, pacing
from cato_contracts.api.rules.contacts import CallLimit, ContactLimits, ContactLimitsOwner
from cato_contracts.api.rules.exclusions import Exclusion, ExclusionScope
from cato_contracts.api.rules.hours import TimeRestrictions
from cato_contracts.envelope import Envelope, Message
from cato_contracts.messages import audio_commands as audio
from cato_contracts.messages import calls, jobs, runs
from cato_contracts.messages import campaign_commands as campaign
from cato_contracts.messages import contact_commands as contacts
from cato_contracts.messages import exclusion_commands as exclusions
from cato_contracts.messages import sip_traces as traces
from cato_contracts.messages.audit import ChangeMade
from cato_contracts.objects import Bucket, ObjectRef
from cato_contracts.requests import Actor

GOLDEN = Path(__file__).parent / "golden"
NOW = datetime(2024, 5, 16, 11, 8, 31, 695000, UTC)
ACTOR = Actor(user_id="user")
ID = UUID("02cd00d1-0f12-494f-91ab-da1691e555ca")
OTHER = UUID("862ceccb-850e-4ff0-a4e5-9c8acee6f423")
UPLOAD = ObjectRef(bucket=Bucket.UPLOADS, name="u1", size=1000, sha256="ab" * 32)
LIST = ObjectRef(bucket=Bucket.LISTS, name="l1", size=200)
PACING = pacing.PacingRule(
    name="Moscow", prefixes=["+7495", "8495"], max_calls=20, max_calls_per_s=2, station_id=OTHER
)
CONTACT_LIMITS = ContactLimits(limits=[CallLimit(max_calls=3, per_s=86_400)], min_gap_s=3_600)
SPEC = SettingsSpec(
    name="profile_1",
    attempt_count=2,
    attempt_delay_s=60,
    success_condition=SuccessCondition.PICKUP_AND_LISTEN_SOME,
    success_playback_duration_s=5,
    max_call_duration_s=90,
    max_answer_delay_s=30,
    time_restrictions=TimeRestrictions(from_hour=8, from_min=30, till_hour=18, till_min=30),
    time_zone="Europe/Moscow",
    weekdays=["MON", "FRI"],
)
SETTINGS = NotificationSettings(**SPEC.model_dump(), id=OTHER, user_id="user")
TASK = TaskSpec(name="task_2024-03-24", settings=OTHER, files=[ID], groups=[ID, OTHER], start_at=NOW)
PROMPT = runs.Prompt(
    audio=ObjectRef(bucket=Bucket.PROMPTS, name="p1", size=8000, sha256="cd" * 32), duration_ms=1000
)
SUBSCRIBER = runs.RunSubscriber(no=7, full_name="Olga Popova", phones=["776413", "776450"], id=OTHER)
SNAPSHOT = runs.RunSnapshot(
    run_id=ID,
    task_id=OTHER,
    task_name="task_2024-03-24",
    user_id="user",
    settings=SETTINGS,
    time_zone="Europe/Moscow",
    prompt=PROMPT,
    subscribers=LIST,
    subscriber_count=2,
    priority=-1,
    start_at=None,
    expires_at=NOW,
)

_BY_ID: list[type[Any]] = [
    audio.RemoveAudioFile,
    audio.GetAudioFile,
    campaign.RemoveSubscriberGroup,
    campaign.GetSubscriberGroup,
    campaign.LocateSubscribers,
    campaign.RemoveNotificationSettings,
    campaign.GetNotificationSettings,
    campaign.RemoveTask,
    campaign.GetTask,
    campaign.StartTask,
    campaign.ResumeRun,
    status.GetTaskExec,
    history.GetCall,
    exports.EndCallExport,
]
_PAGED: list[type[Any]] = [
    audio.ListAudioFiles,
    campaign.ListSubscriberGroups,
    campaign.ListNotificationSettings,
    campaign.ListTasks,
]
CALLS = history.CallFilter(
    since=NOW, until=NOW, number="776413", run_id=ID, station_id=OTHER, outcome=history.CallOutcome.FAILED
)

SAMPLES: list[Message] = [
    ChangeMade(
        user_id="user",
        admin=False,
        operation="replace_task",
        resource_id=str(ID),
        before={"name": "flood"},
        after={"name": "flood drill"},
    ),
    *(request(actor=ACTOR, id=ID) for request in _BY_ID),
    *(request(actor=ACTOR, name="flood", limit=10, cursor="c") for request in _PAGED),
    audio.AddAudioFile(actor=ACTOR, name="flood_warning", upload=UPLOAD),
    audio.GetAudioFiles(actor=ACTOR, ids=[ID, OTHER]),
    campaign.AddSubscriberGroup(actor=ACTOR, name="town", format=campaign.ListFormat.JSON, upload=UPLOAD),
    exclusions.AddExclusionList(
        actor=ACTOR,
        name="do not call",
        scope=ExclusionScope.SYSTEM,
        format=campaign.ListFormat.CSV,
        upload=UPLOAD,
    ),
    exclusions.RemoveExclusionList(actor=ACTOR, id=ID),
    exclusions.GetExclusionList(actor=ACTOR, id=ID),
    exclusions.ListExclusionLists(actor=ACTOR, name="call", limit=10, cursor="7"),
    exclusions.ListExcludedNumbers(actor=ACTOR, id=ID, limit=10, cursor="776413"),
    exclusions.ExcludeNumber(
        actor=ACTOR,
        id=ID,
        exclusion=Exclusion(number="776413", reason="asked not to be called", expires_at=NOW),
        call_id=OTHER,
    ),
    exclusions.GetExcludedNumber(actor=ACTOR, id=ID, number="776413"),
    exclusions.ReadmitNumber(actor=ACTOR, id=ID, number="776413"),
    campaign.ReplaceSubscriberGroup(actor=ACTOR, id=ID, format=campaign.ListFormat.CSV, upload=UPLOAD),
    campaign.CheckSubscriberList(
        actor=ACTOR,
        format=campaign.ListFormat.CSV,
        upload=UPLOAD,
        charset="windows-1251",
        columns={"phones": ["Mobile", "Home"]},
    ),
    campaign.AddNotificationSettings(actor=ACTOR, owner="user", spec=SPEC),
    campaign.ReplaceNotificationSettings(actor=ACTOR, id=ID, spec=SPEC),
    campaign.AddTask(actor=ACTOR, owner="user", spec=TASK),
    campaign.ReplaceTask(actor=Actor(user_id="root", admin=True), id=ID, owner="user", spec=TASK),
    campaign.FindTasksUsingFile(actor=ACTOR, file_id=ID),
    checks.CheckTask(actor=ACTOR, id=ID),
    campaign.CallTester(actor=ACTOR, id=ID, number="776413"),
    campaign.RepeatUnreached(actor=ACTOR, id=ID, run_id=OTHER),
    campaign.PauseRun(actor=ACTOR, id=ID, hangup=True),
    campaign.StopRun(actor=ACTOR, id=ID),
    status.ListTaskExecs(actor=ACTOR, task_id=OTHER, active=True, limit=5),
    status.GetStatusText(
        actor=ACTOR, run_id=ID, filter=status.SubscriberFilter.FAILED, events=False, limit=5, cursor="100"
    ),
    pacing.PutPacingRule(actor=ACTOR, rule=PACING),
    pacing.RemovePacingRule(actor=ACTOR, name="Moscow"),
    pacing.GetPacingRule(actor=ACTOR, name="Moscow"),
    pacing.ListPacingRules(actor=ACTOR),
    traces.PutSipTrace(
        actor=ACTOR, name="a", order=traces.TraceOrder(station_id=OTHER, number="776413", for_s=600)
    ),
    traces.RemoveSipTrace(actor=ACTOR, name="a"),
    traces.GetSipTrace(actor=ACTOR, name="a"),
    traces.ListSipTraces(actor=ACTOR),
    contacts.PutContactLimits(actor=ACTOR, scope=ContactLimitsOwner.SYSTEM, limits=CONTACT_LIMITS),
    contacts.RemoveContactLimits(actor=ACTOR),
    contacts.GetContactLimits(actor=ACTOR),
    invalid_numbers.ListInvalidNumbers(actor=ACTOR, run_id=ID, limit=5, cursor="7.1"),
    exports.ListRunSubscribers(
        actor=ACTOR,
        run_id=ID,
        filter=status.SubscriberFilter.UNREACHED,
        name="popova",
        number="776413",
        reason="busy",
        limit=5,
        cursor="c",
    ),
    stations.ListStations(actor=ACTOR),
    history.ListCalls(actor=ACTOR, where=CALLS, limit=5, cursor="c"),
    history.GetStatistics(
        actor=ACTOR, where=CALLS, group_by=history.Grouping.SIP_CODE, time_zone="Europe/Moscow"
    ),
    exports.BeginCallExport(actor=ACTOR, where=CALLS, format=exports.ExportFormat.PARQUET),
    exports.BeginSubscriberExport(
        actor=ACTOR,
        run_id=ID,
        filter=status.SubscriberFilter.UNREACHED,
        format=exports.ExportFormat.CSV,
        dialect=exports.ExportDialect.EXCEL,
        time_zone="Europe/Moscow",
    ),
    sql.RunSql(
        actor=ACTOR,
        statement="SELECT count() FROM calls WHERE run_id = {run:UUID}",
        parameters={"run": str(ID)},
        format=sql.SqlFormat.CSV,
    ),
    exports.TakeExportPiece(actor=ACTOR, id=ID, place=3),
    runs.RunStarted(snapshot=SNAPSHOT),
    runs.WaveStarted(run_id=ID, wave=1, subscriber_count=2),
    runs.WaveEnded(run_id=ID, wave=1, notified=1, failed=1),
    runs.RunPaused(run_id=ID),
    runs.RunResumed(run_id=ID),
    runs.RunStationsDown(run_id=ID),
    runs.RunStationsUp(run_id=ID),
    runs.RunApproved(run_id=ID, by="head", comment="agreed"),
    runs.RunRejected(run_id=ID, by="head", comment="agreed"),
    runs.RunApprovalExpired(run_id=ID),
    approvals.ApproveRun(actor=ACTOR, id=ID, comment="agreed"),
    approvals.RejectRun(actor=ACTOR, id=ID, comment="agreed"),
    runs.RunStopping(run_id=ID),
    runs.RunEnded(run_id=ID, ending=runs.RunEnding.FINISHED),
    runs.SubscriberResult(
        run_id=ID, no=7, wave=1, notified=False, reason="busy", call_id=OTHER, number="776413"
    ),
    calls.CallEvent(
        run_id=ID,
        no=7,
        wave=1,
        call_id=OTHER,
        seq=3,
        kind=calls.CallEventKind.REJECTED,
        number="776413",
        phone_index=0,
        station_id=ID,
        sip_code=486,
        reason_phrase="Busy Here",
    ),
    jobs.DialJob(
        run_id=ID,
        wave=1,
        subscriber=SUBSCRIBER,
        settings=SETTINGS,
        time_zone="Europe/Moscow",
        prompt=PROMPT,
        priority=0,
        expires_at=None,
    ),
]


def envelope(message: Message) -> Envelope[Message]:
    return Envelope[Message].wrap(
        message, event_id="e1", occurred_at=NOW, correlation_id="c1", causation_id="a1"
    )


def golden_file(message: type[Message], version: int) -> Path:
    return GOLDEN / f"{message.__name__}.v{version}.json"


def write_missing() -> None:
    """Add golden files for new messages and new versions; one that is there is never touched."""
    GOLDEN.mkdir(exist_ok=True)
    for sample in SAMPLES:
        file = golden_file(type(sample), type(sample).version)
        if not file.exists():
            file.write_text(envelope(sample).model_dump_json(indent=1) + "\n")


if __name__ == "__main__":
    write_missing()
