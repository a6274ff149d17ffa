"""Exports for spreadsheet programs: Excel's dialect of CSV, XLSX, and text that is no formula."""

import csv
import io
import json

import pytest

from cato_contracts.api.exports import ExportDialect, ExportFormat
from cato_contracts.api.status import SubscriberFilter
from cato_contracts.errors import NotFoundError
from cato_contracts.requests import Actor
from services.reporting.tests.export_reading import ZONE, read_excel_csv
from services.reporting.tests.history_reference import expected_calls
from services.reporting.tests.reporting_system import keep_list, publish, reporting
from tests.support.synthetic_runs import Sent, SyntheticRun, stopped_in_wave_1, synthetic_run
from tests.support.xlsx import read_sheet

NAMES = ("=cmd|' /C calc'!A0", "+1+1", "-2", "@SUM(A1)", "\t=1", "\r=1", "＝1", 'Ivan; "I"\nPotapov', "Ольга")
NUMBERS = (
    "+73437200041",
    "83437200042",
    "0123",
    "112",
    "8343720004299",
    "*21#",
    "0",
    "776413",
    "12345678901",
)
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝")


@pytest.fixture
def run():
    """A run that was stopped, whose names and numbers begin like formulas."""
    run = stopped_in_wave_1(synthetic_run(7, subscribers=len(NAMES)), 0.12)
    people = [
        person.model_copy(
            update={
                "full_name": NAMES[person.no],
                "phones": [NUMBERS[person.no], "+7999"],
                "emails": ["=a@b"],
                "attributes": {"Адрес": "=1", "№": str(person.no)} if person.no else {},
                "consent": "=form" if person.no else None,
            }
        )
        for person in run.subscribers
    ]
    messages = []
    for sent in run.messages:
        body = sent.events[0].body
        changes = {}
        if hasattr(body, "phone_index"):
            changes["number"] = NUMBERS[body.no]
        if getattr(body, "contact", None):
            changes["contact"] = body.contact.model_copy(update={"full_name": NAMES[body.no]})
        envelope = sent.events[0].model_copy(update={"body": body.model_copy(update=changes)})
        messages.append(Sent(sent.subject, envelope.encode(), (envelope,)) if changes else sent)
    return SyntheticRun(run.snapshot, people, messages)


@pytest.fixture
async def reports(bus, clickhouse_dsn, run):
    await keep_list(bus, run)
    async with reporting(bus, clickhouse_dsn) as reports:
        await publish(bus, run.messages)
        yield reports


@pytest.fixture
def calls(run):
    return expected_calls([event for sent in run.messages for event in sent.events])[::-1]


def local(at):
    return at.astimezone(ZONE).strftime("%Y-%m-%d %H:%M:%S") if at else ""


async def test_r2_excels_dialect_has_a_mark_semicolons_and_local_times(reports, calls):
    rows = read_excel_csv(await reports.export(ExportFormat.CSV, dialect=ExportDialect.EXCEL))
    assert [row["id"] for row in rows] == [str(call.id) for call in calls]
    assert [row["startedAt"] for row in rows] == [local(call.started_at) for call in calls]
    assert [row["endedAt"] for row in rows] == [local(call.ended_at) for call in calls]


async def test_r2_no_cell_of_csv_begins_like_a_formula_and_numbers_stay_text(reports, calls):
    rows = read_excel_csv(await reports.export(ExportFormat.CSV, dialect=ExportDialect.EXCEL))
    assert not [cell for row in rows for cell in row.values() if cell.startswith(FORMULA)]
    for row, call in zip(rows, calls, strict=True):
        kept = call.number in {"83437200042", "112", "*21#", "776413", "12345678901"}
        assert row["number"] == (call.number if kept else f"'{call.number}")
        plain = call.subscriber_name.startswith(("I", "О"))
        assert row["subscriberName"] == (call.subscriber_name if plain else f"'{call.subscriber_name}")
    standard = list(
        csv.DictReader(io.StringIO((await reports.export(ExportFormat.CSV)).decode(), newline=""))
    )
    assert [row["subscriberName"] for row in standard] == [row["subscriberName"] for row in rows]
    assert [row["number"] for row in standard] == [call.number for call in calls]


async def test_r2_the_cells_of_xlsx_are_text_unchanged(reports, calls):
    header, *rows = read_sheet(await reports.export(ExportFormat.XLSX))
    rows = [dict(zip(header, row, strict=True)) for row in rows]
    assert [row["number"] for row in rows] == [call.number for call in calls]
    names = [call.subscriber_name.replace("\r", "_x000D_") for call in calls]
    assert [row["subscriberName"] for row in rows] == names


async def test_r3_the_subscribers_of_a_run_are_exported_those_never_called_too(reports, run, calls):
    results = [sent.events[0].body for sent in run.messages if ".result." in sent.subject]
    reached = {run.subscribers[result.no].id for result in results if result.notified}
    for which, wanted in {
        SubscriberFilter.ALL: run.subscribers,
        SubscriberFilter.UNREACHED: [each for each in run.subscribers if each.id not in reached],
        SubscriberFilter.NONE: [],
    }.items():
        content = await reports.export_subscribers(run.run_id, ExportFormat.XLSX, filter=which)
        header, *rows = read_sheet(content)
        rows = [dict(zip(header, row, strict=True)) for row in rows]
        assert [row["subscriberId"] for row in rows] == [str(person.id) for person in wanted]
        for row, person in zip(rows, wanted, strict=True):
            theirs = [call for call in calls if call.subscriber_id == person.id]
            assert row["calls"] == len(theirs)
            assert row["notified"] is (person.id in reached)
            assert row["phones"] == ";".join(person.phones)
            assert (row["lastCallAt"] is None) is (not theirs)
            assert row["reason"] or not row["notified"]
            attributes = row["attributes"]
            assert (json.loads(attributes) if attributes else {}) == person.attributes
            assert row["consent"] == person.consent
    assert 0 in [row["calls"] for row in await csv_rows(reports, run)]


async def csv_rows(reports, run):
    content = await reports.export_subscribers(run.run_id, ExportFormat.CSV, dialect=ExportDialect.EXCEL)
    rows = read_excel_csv(content)
    assert not [cell for row in rows for cell in row.values() if cell.startswith(FORMULA)]
    assert [row["emails"] for row in rows] == ["'=a@b"] * len(rows)
    return [row | {"calls": int(row["calls"])} for row in rows]


@pytest.mark.parametrize("form", list(ExportFormat))
async def test_an_export_of_subscribers_has_all_in_the_order_of_the_list(reports, run, form, monkeypatch):
    monkeypatch.setattr("cato_reporting.adapters.clickhouse.exports.pages.PAGE", 2)
    monkeypatch.setattr("cato_reporting.adapters.clickhouse.exports.pages.XLSX_PAGE", 2)
    content = await reports.export_subscribers(run.run_id, form)
    ids = [str(person.id).encode() for person in run.subscribers]
    if form in {ExportFormat.CSV, ExportFormat.JSONL}:
        assert sorted(ids, key=content.index) == ids
    else:
        assert content[:4] in {b"PAR1", b"PK\x03\x04"}


async def test_the_subscribers_of_another_users_run_are_not_exported(reports, run):
    with pytest.raises(NotFoundError):
        await reports.export_subscribers(run.run_id, ExportFormat.CSV, actor=Actor(user_id="somebody"))


async def test_attributes_are_an_object_in_json_l2(reports, run):
    content = await reports.export_subscribers(run.run_id, ExportFormat.JSONL)
    found = [json.loads(line)["attributes"] for line in content.splitlines()]
    assert found == [person.attributes for person in run.subscribers]
