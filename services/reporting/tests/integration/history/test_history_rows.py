"""History, statistics and exports: the same for any order and repetition of the events."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cato_contracts.api.exports import ExportFormat
from cato_contracts.api.history import CallFilter, CallOutcome, Grouping
from cato_reporting.adapters.clickhouse import call_history as clickhouse_history
from cato_reporting.adapters.clickhouse.call_history import ClickHouseHistory
from cato_reporting.adapters.clickhouse.exports import pages as clickhouse_pages
from cato_reporting.adapters.clickhouse.read_model import ClickHouseReadModel
from cato_reporting.domain.parsed_message import parse_message
from cato_reporting.errors import UnknownTimeZoneError
from cato_reporting.ports import CallSelection, Layout, StoredMessage
from services.reporting.tests.export_reading import read_export
from services.reporting.tests.history_reference import expected_calls, expected_statistics
from tests.support.synthetic_runs import BEGIN, STATION, synthetic_run


def stored_messages_of(*runs):
    sent = [sent for run in runs for sent in run.messages]
    return [
        StoredMessage(position, parse_message(each.subject, each.data))
        for position, each in enumerate(sent, start=1)
    ]


def calls_of(*runs):
    return expected_calls([event for run in runs for sent in run.messages for event in sent.events])


@pytest.fixture
async def tables(clickhouse_dsn):
    model = ClickHouseReadModel(clickhouse_dsn)
    history = ClickHouseHistory(clickhouse_dsn)
    await model.open()
    yield model, history
    await history.close()
    await model.close()


async def all_calls(history, selection, *, limit):
    calls = []
    before = None
    while True:
        found = await history.calls(selection, before=before, limit=limit)
        calls += found.calls
        before = found.rest
        if before is None:
            return calls


async def exported(history, selection, form):
    pages = history.export_calls(selection, Layout(form, time_zone="Europe/Moscow"))
    content = b""
    while (part := await pages.read()) is not None:
        content += part
    await pages.close()
    return read_export(content, form)


async def assert_statistics(history, selection, records, group_by, zone="Europe/Moscow"):
    figures = await history.statistics(selection, group_by, time_zone=zone, limit=1000)
    groups, total = expected_statistics(records, group_by, zone)
    assert [each.key for each in figures.groups] == [each.key for each in groups]
    for one, other in zip([*figures.groups, figures.total], [*groups, total], strict=True):
        assert one.model_dump() == pytest.approx(other.model_dump())


@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(seed=st.integers(0, 2**60), lost_ends=st.booleans())
async def test_disturbed_batches_give_the_history_of_the_reference(seed, lost_ends, tables, monkeypatch):
    monkeypatch.setattr(clickhouse_pages, "PAGE", 9)
    monkeypatch.setattr(clickhouse_pages, "XLSX_PAGE", 9)
    model, history = tables
    run = synthetic_run(seed, subscribers=6, waves=3, lost_ends=lost_ends)
    rng = random.Random(seed)
    stored_messages = stored_messages_of(run) + rng.choices(stored_messages_of(run), k=len(run.messages) // 2)
    rng.shuffle(stored_messages)
    while stored_messages:
        size = rng.randint(1, 60)
        await model.store(stored_messages[:size], position=stored_messages[0].position)
        stored_messages = stored_messages[size:]
    expected = calls_of(run)
    selection = CallSelection(CallFilter(run_id=run.run_id), run.snapshot.user_id)
    assert await all_calls(history, selection, limit=rng.randint(1, 30)) == expected
    for record in expected[:3]:
        assert (await history.call(record.id)).record == record
    for group_by in Grouping:
        await assert_statistics(history, selection, expected, group_by)
    for form in ExportFormat:
        assert await exported(history, selection, form) == expected[::-1]
    for outcome in CallOutcome:
        of_these = [record for record in expected if record.outcome is outcome]
        selection = CallSelection(CallFilter(run_id=run.run_id, outcome=outcome))
        assert await all_calls(history, selection, limit=100) == of_these


async def test_conditions_apply_to_merged_calls_and_not_to_their_parts(tables):
    """The engine may look at conditions on the key before it merges, and has to leave others alone."""
    model, history = tables
    run = synthetic_run(9, subscribers=10, waves=2, lost_ends=True)
    stored_messages = stored_messages_of(run)
    for part in range(3):
        # Neighbours in the log go into different parts, so the end of a call is apart from its beginning.
        await model.store(stored_messages[part::3], position=len(stored_messages))
    wanted = [call for call in calls_of(run) if call.outcome is CallOutcome.TALKING]
    assert any(call.success for call in wanted)
    found = await history.calls(CallSelection(CallFilter(outcome="talking")), before=None, limit=100)
    assert found.calls == wanted


async def test_rare_calls_are_found_over_several_pages(tables, monkeypatch):
    for name in ("_FIRST_LOOK", "_LONGEST_LOOK"):
        monkeypatch.setattr(clickhouse_history, name, 3)
    monkeypatch.setattr(clickhouse_history, "_LOOKED_THROUGH", 6)
    model, history = tables
    run = synthetic_run(1, subscribers=15, waves=2, lost_ends=True)
    await model.store(stored_messages_of(run), position=1)
    wanted = [call for call in calls_of(run) if call.ended_at is None]
    assert 0 < len(wanted) < 10
    selection = CallSelection(CallFilter(outcome="talking"))
    assert await all_calls(history, selection, limit=2) == wanted
    first = await history.calls(CallSelection(CallFilter(outcome="ringing")), before=None, limit=2)
    assert first.calls == []
    assert first.rest is not None


@pytest.mark.parametrize(
    ("zone", "begin", "hours"),
    [
        # The night in which clocks go back: 02:00 comes twice.
        ("Europe/Berlin", datetime(2026, 10, 24, 23, 10, tzinfo=UTC), 5),
        # Clocks go forward: there is no 02:00.
        ("Europe/Berlin", datetime(2026, 3, 28, 23, 10, tzinfo=UTC), 5),
        ("Asia/Kolkata", datetime(2026, 3, 2, 17, 50, tzinfo=UTC), 3),
        ("America/St_Johns", datetime(2026, 11, 1, 2, 10, tzinfo=UTC), 4),
    ],
)
async def test_hours_and_days_are_those_of_the_zone(tables, zone, begin, hours):
    model, history = tables
    runs = [
        synthetic_run(seed, subscribers=2, waves=1, begin=begin + timedelta(minutes=25 * seed))
        for seed in range(hours * 60 // 25)
    ]
    await model.store(stored_messages_of(*runs), position=1)
    records = calls_of(*runs)
    for group_by in (Grouping.HOUR, Grouping.DAY):
        await assert_statistics(history, CallSelection(CallFilter()), records, group_by, zone)


async def test_an_unknown_time_zone_is_rejected(tables):
    _, history = tables
    for zone in ("Europe/Nowhere", "", "../etc/passwd", "'"):
        with pytest.raises(UnknownTimeZoneError):
            await history.statistics(CallSelection(CallFilter()), Grouping.DAY, time_zone=zone, limit=10)


async def test_statistics_by_task_have_the_latest_name_and_calls_without_station_no_key(tables):
    model, history = tables
    runs = [synthetic_run(seed, begin=BEGIN + timedelta(hours=seed)) for seed in (1, 2)]
    await model.store(stored_messages_of(*runs)[:-40], position=1)
    by_task = await history.statistics(CallSelection(CallFilter()), Grouping.TASK, time_zone="UTC", limit=10)
    assert {each.key for each in by_task.groups} == {str(run.snapshot.task_id) for run in runs}
    assert {each.label for each in by_task.groups} == {"task_2024-03-24"}
    by_station = await history.statistics(
        CallSelection(CallFilter(station_id=STATION)), Grouping.STATION, time_zone="UTC", limit=10
    )
    assert [each.key for each in by_station.groups] == [str(STATION)]
