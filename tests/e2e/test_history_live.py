"""The live stream of a run and its call history agree with the status document."""

import csv
import io
import json
import uuid
from collections import Counter
from dataclasses import dataclass
from typing import Any

import pyarrow.parquet
import pytest

from cato_client import Client as Cato
from cato_client import operations
from cato_client.models import CallFilter, CallRecord, Report
from cato_contracts.instants import unix_ms
from tests.support.live_system import assert_consistent
from tests.support.tones import tone

PEOPLE = {
    "Listener": ["100901"],
    "Second number": ["200901", "+7 (100) 902"],
    "Busy": ["200902"],
    "Unknown": ["220901"],
    "Hangs up": ["130901"],
    "By RTP": ["110901"],
}
NUMBER_WITH_PLUS = "+7100902"


@dataclass
class Lived:
    """A finished run with the events of its stream and its status document."""

    id: uuid.UUID
    reports: list[Report]
    document: dict[str, Any]

    @property
    def calls(self) -> list[dict[str, Any]]:
        """Return the calls of the document with their numbers, without the wave, which the document lacks."""
        return [
            {**call, "number": phone["number"], "name": status["subscriber"]["fullName"]}
            for status in self.document["subscribers"]
            for phone in status["phones"]
            for call in phone["calls"]
        ]

    @property
    def where(self) -> CallFilter:
        return CallFilter(task_exec_id=self.id)


@pytest.fixture(scope="module")
def cato(stack):
    with Cato(stack.url, "default") as client:
        yield client


@pytest.fixture(scope="module")
def run(stack, cato):
    client = stack.client()
    prompt = client.add_prompt(f"tone-{uuid.uuid4().hex}", tone(1.2))["id"]
    people = [{"fullName": name, "phones": phones, "emails": ""} for name, phones in PEOPLE.items()]
    run_id = uuid.UUID(client.start(client.make_task(people, files=[prompt], attemptCount=2)))
    reports = list(cato.follow(run_id))
    document = client.finished(str(run_id))
    client.http.close()
    return Lived(run_id, reports, document)


@pytest.fixture(scope="module")
def records(cato, run) -> list[CallRecord]:
    return list(cato.each(lambda cursor: operations.list_calls(run.where, limit=4, cursor=cursor)))


def ms(at) -> int | None:
    return None if at is None else unix_ms(at)


def test_stream_leads_from_the_start_of_the_run_to_its_document(run):
    for report in run.reports:
        assert_consistent(report.model_dump(by_alias=True))
    assert len(run.reports) > 2
    assert [report.active_phase for report in run.reports] == [True] * (len(run.reports) - 1) + [False]
    totals = [report.calls_total for report in run.reports]
    assert totals == sorted(totals)
    last = run.reports[-1].model_dump_json(by_alias=True, exclude_unset=True)
    assert json.loads(last) == run.document["report"]


def test_each_call_of_the_document_is_in_the_history_once(run, records):
    assert [record.started_at for record in records] == sorted(
        (record.started_at for record in records), reverse=True
    )
    assert len(records) == run.document["report"]["callsTotal"] == len({record.id for record in records})
    listed = Counter(
        (
            record.subscriber_name,
            record.number,
            str(record.station_id),
            ms(record.started_at),
            ms(record.ringing_at),
            ms(record.answered_at),
            ms(record.ended_at),
            record.success,
            record.delayed,
        )
        for record in records
    )
    assert listed == Counter(
        (
            call["name"],
            call["number"],
            call["csId"],
            call["callStart"],
            call["callRingStart"],
            call["callTalkingStart"],
            call["callEnd"],
            call["success"],
            call["delayed"],
        )
        for call in run.calls
    )


def test_additional_fields_of_the_history_are_consistent(run, records):
    by_name = {record.subscriber_name: record for record in records}
    listener, busy = by_name["Listener"], by_name["Busy"]
    assert (listener.sip_code, listener.outcome, listener.reason) == (200, "succeeded", "heard-to-the-end")
    assert listener.heard_ms == pytest.approx(1200, abs=40)
    assert listener.talk_ms >= listener.heard_ms
    assert listener.pdd_ms == ms(listener.ringing_at) - ms(listener.started_at)
    assert (busy.sip_code, busy.outcome, busy.answered_at, busy.talk_ms) == (486, "failed", None, None)
    assert by_name["By RTP"].digits == "1"
    assert sorted(record.wave for record in records if record.subscriber_name == "Busy") == [1, 2]
    assert {record.task_exec_id for record in records} == {run.id}


def test_call_has_the_events_of_the_document(cato, run, records):
    told = {(call["number"], call["callStart"]): call["events"] for call in run.calls}
    for record in records:
        detail = cato.do(operations.get_call(record.id))
        assert CallRecord.model_validate(detail.model_dump()) == record
        events = [event.model_dump() for event in detail.events]
        assert events == told[record.number, ms(record.started_at)]


def test_filter_returns_the_matching_calls(cato, run, records):
    def found(**more) -> set[uuid.UUID]:
        where = run.where.model_copy(update=more)
        return {record.id for record in cato.do(operations.list_calls(where, limit=1000)).items}

    assert found(outcome="failed") == {record.id for record in records if not record.success}
    plus = {record.id for record in records if record.number == NUMBER_WITH_PLUS}
    assert plus
    assert found(number="+7 (100) 902") == plus
    middle = records[len(records) // 2].started_at
    assert found(since=middle) == {record.id for record in records if record.started_at >= middle}
    assert found(until=middle) == {record.id for record in records if record.started_at < middle}
    assert found(station_id=records[0].station_id) == {record.id for record in records}
    assert found(station_id=uuid.uuid4()) == set()


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_export_has_the_calls_of_the_history(cato, run, records, form):
    content = b"".join(cato.pieces(operations.export_calls(run.where, form=form)))
    oldest_first = [str(record.id) for record in records[::-1]]
    if form == "csv":
        rows = list(csv.DictReader(io.StringIO(content.decode())))
    elif form == "jsonl":
        rows = [json.loads(line) for line in content.splitlines()]
        assert [CallRecord.model_validate(row) for row in rows] == records[::-1]
    else:
        rows = pyarrow.parquet.read_table(io.BytesIO(content)).to_pylist()
        assert [row["startedAt"] for row in rows] == [record.started_at for record in records[::-1]]
    assert [str(row["id"]) for row in rows] == oldest_first
    assert [row["number"] for row in rows] == [record.number for record in records[::-1]]
    names = [field.alias or name for name, field in CallRecord.model_fields.items()]
    assert list(rows[0]) == names


def test_statistics_count_the_calls_of_the_history(cato, run, records):
    report = run.document["report"]
    for group_by in ("hour", "day", "task", "station", "outcome", "sipCode"):
        figures = cato.do(operations.get_statistics(group_by, run.where))
        assert figures.total.attempts == report["callsTotal"] == sum(each.attempts for each in figures.groups)
        assert figures.total.succeeded == report["callsSucceeded"]
        assert figures.total.failed == report["callsFailed"]
        assert figures.total.in_progress == 0
        answered = [record for record in records if record.answered_at is not None]
        assert figures.total.answered == len(answered)
        assert figures.total.asr == pytest.approx(len(answered) / len(records))
        assert figures.total.acd_ms == pytest.approx(
            sum(record.talk_ms for record in answered) / len(answered)
        )
    codes = Counter(None if record.sip_code is None else str(record.sip_code) for record in records)
    by_code = cato.do(operations.get_statistics("sipCode", run.where))
    assert {each.key: each.attempts for each in by_code.groups} == codes
    by_task = cato.do(operations.get_statistics("task", run.where))
    assert [(each.key, each.label) for each in by_task.groups] == [(str(records[0].task_id), "task")]


def test_stream_of_an_ended_run_sends_its_last_report_at_once(cato, run):
    assert list(cato.follow(run.id)) == run.reports[-1:]
