"""The operations of the client, sent to the gateway."""

import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from cato_client import (
    AsyncClient,
    ConflictError,
    InvalidError,
    NotFoundError,
    PreconditionFailedError,
    operations,
)
from cato_client.models import CallFilter, NewTask, Person, Settings, StatusDocument, TimeRestrictions
from cato_contracts.api.stations import StationFailure, StationState
from cato_contracts.api.status import RunState
from tests.support.gateway.stack import MemoryStack

AUDIO = b"\xff\xfb" + bytes(998)
PEOPLE = [Person(full_name="Иван", phones=["1", "2"]), Person(full_name="Olga", phones=["3"])]
SETTINGS = Settings(
    name="calm",
    attempt_count=2,
    success_condition="PICKUP_AND_LISTEN_SOME",
    success_playback_duration_s=3,
    time_restrictions=TimeRestrictions(from_hour=8, till_hour=20),
    weekdays=["MON"],
)


@pytest.fixture
def stack():
    return MemoryStack()


@pytest.fixture
async def cato(stack):
    transport = httpx.ASGITransport(stack.app)
    async with AsyncClient("http://cato.test", "default", transport=transport) as client:
        yield client


@pytest.fixture
async def task(cato):
    audio = await cato.do(operations.add_audio_file("flood warning", AUDIO))
    group = await cato.do(operations.add_subscriber_group("город", PEOPLE))
    settings = await cato.do(operations.add_notification_settings(SETTINGS))
    wanted = NewTask(name="t", settings=settings.id, files=[audio.id], groups=[group.id], priority=3)
    return await cato.do(operations.add_task(wanted))


async def test_audio_files(cato):
    added = await cato.do(operations.add_audio_file("flood warning", AUDIO))
    assert (added.name, added.size_bytes, added.user_id) == ("flood warning", 1000, "user")
    assert await cato.do(operations.get_audio_file(added.id)) == added
    assert await cato.do(operations.get_audio_content(added.id, alaw=True)) == AUDIO
    assert (await cato.do(operations.get_audio_content(added.id))).startswith(b"RIFF")
    listed = (await cato.do(operations.list_audio_files(name="flood warning"))).items
    assert [file.id for file in listed] == [added.id]
    await cato.do(operations.remove_audio_file(added.id))
    with pytest.raises(NotFoundError):
        await cato.do(operations.get_audio_file(added.id))


async def test_groups(cato):
    group = await cato.do(operations.add_subscriber_group("город", PEOPLE))
    assert (group.name, group.subscriber_count) == ("город", 2)
    people = [
        one
        async for one in cato.each(
            lambda cursor: operations.list_subscribers(group.id, limit=1, cursor=cursor)
        )
    ]
    assert [(one.full_name, one.phones) for one in people] == [("Иван", ["1", "2"]), ("Olga", ["3"])]
    changed = await cato.do(operations.replace_subscriber_group(group.id, PEOPLE[:1], etag=group.etag))
    assert changed.subscriber_count == 1
    with pytest.raises(PreconditionFailedError):
        await cato.do(operations.replace_subscriber_group(group.id, PEOPLE, etag=group.etag))
    other = await cato.do(operations.add_subscriber_group_csv("csv", b"fullName,phones,emails\nA,1;2,\n"))
    assert len((await cato.do(operations.list_subscriber_groups())).items) == 2
    await cato.do(operations.remove_subscriber_group(other.id, etag=other.etag))
    assert await cato.do(operations.get_subscriber_group(group.id)) == changed


async def test_stations_s3(cato, stack):
    failure = StationFailure(at=datetime(2026, 1, 1, tzinfo=UTC), reason="options-unanswered")
    stack.services.stations[0] = stack.services.stations[0].model_copy(
        update={"state": StationState.DOWN, "last_failure": failure}
    )
    (station,) = (await cato.do(operations.list_stations())).items
    assert (station.name, station.state, station.channels, station.channels_in_use) == ("main", "DOWN", 30, 2)
    assert station.last_failure.reason == "options-unanswered"
    assert (station.registered, station.since) == (None, None)


async def test_settings(cato):
    kept = await cato.do(operations.add_notification_settings(SETTINGS))
    assert kept.time_restrictions == SETTINGS.time_restrictions
    assert (kept.attempt_count, kept.max_call_duration_s, kept.weekdays) == (2, 300, ["MON"])
    assert await cato.do(operations.get_notification_settings(kept.id)) == kept
    renamed = SETTINGS.model_copy(update={"name": "other"})
    changed = await cato.do(operations.replace_notification_settings(kept.id, renamed, etag=kept.etag))
    assert (await cato.do(operations.list_notification_settings())).items[0].name == changed.name == "other"
    await cato.do(operations.remove_notification_settings(kept.id))


async def test_tasks_and_executions(cato, task):
    assert await cato.do(operations.get_task(task.id)) == task
    fields = NewTask.model_validate(task.model_dump())
    changed = await cato.do(operations.replace_task(task.id, fields, etag=task.etag))
    assert (changed.priority, changed.files) == (3, task.files)
    assert [each.id for each in (await cato.do(operations.list_tasks())).items] == [task.id]
    start = operations.start_task(task.id)
    started = await cato.do(start)
    assert await cato.do(start) == started
    run = started.task_exec_id
    assert run is not None
    with pytest.raises(ConflictError) as refused:
        await cato.do(operations.start_task(task.id))
    assert refused.value.resource_id == str(run)
    report = await cato.do(operations.get_report(run))
    document = await cato.do(operations.get_status(run))
    assert (report.subscriber_count, report.active_phase) == (2, True)
    assert document.report == report
    assert StatusDocument.model_validate_json(await cato.do(operations.download_status(run))) == document
    assert [each.subscriber.full_name for each in document.subscribers] == ["Иван", "Olga"]
    runs = await cato.do(operations.list_task_execs(task_id=task.id, active=True))
    assert [each.id for each in runs.items] == [run]
    await cato.do(operations.pause(run))
    await cato.do(operations.resume(run))
    await cato.do(operations.stop(run, hangup=True))
    await cato.do(operations.remove_task(task.id))


async def test_history_operations(cato, stack, task):
    run = (await cato.do(operations.start_task(task.id))).task_exec_id
    at = datetime(2024, 3, 24, 8, 30, tzinfo=UTC)
    for hours in range(3):
        stack.services.history.add_call(stack.services.runs[run], at + timedelta(hours=hours))
    where = CallFilter(since=at + timedelta(hours=1), until=at + timedelta(days=1), number="776 413")
    found = [
        call async for call in cato.each(lambda cursor: operations.list_calls(where, limit=1, cursor=cursor))
    ]
    assert [call.started_at.hour for call in found] == [10, 9]
    assert (found[0].task_exec_id, found[0].outcome, found[0].talk_ms) == (run, "succeeded", 5000)
    detail = await cato.do(operations.get_call(found[0].id))
    assert [event.name for event in detail.events] == ["CallEnded"]
    pieces = [piece async for piece in cato.pieces(operations.export_calls(where, form="jsonl"))]
    rows = [json.loads(line) for line in b"".join(pieces).splitlines()]
    assert [row["id"] for row in rows] == [str(call.id) for call in found[::-1]]
    file = await cato.do(operations.export_calls(CallFilter(task_exec_id=run, outcome="succeeded")))
    assert file.count(b"\n") == 4
    figures = await cato.do(operations.get_statistics("day", where, time_zone="Asia/Yekaterinburg"))
    assert [(group.key, group.attempts) for group in figures.groups] == [("2024-03-24", 2)]
    assert figures.total.asr == 1
    with pytest.raises(InvalidError, match="timeZone"):
        await cato.do(operations.get_statistics("day", time_zone="Mars"))


async def test_follow_yields_reports_until_the_end(cato, stack, task):
    run = (await cato.do(operations.start_task(task.id))).task_exec_id
    stack.services.run_on(run, active_phase=False, state=RunState.FINISHED)
    reports = [report async for report in cato.follow(run)]
    assert reports == [await cato.do(operations.get_report(run))]
