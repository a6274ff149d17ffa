"""Exports through the real log and the real engine, read back."""

from datetime import timedelta

import pytest

from cato_contracts.api.exports import ExportFormat
from cato_contracts.api.history import CallOutcome
from cato_contracts.errors import NotFoundError
from cato_contracts.requests import Actor
from cato_reporting.adapters.clickhouse.exports import pages as clickhouse_pages
from services.reporting.tests.export_reading import read_export
from services.reporting.tests.history_reference import expected_calls
from services.reporting.tests.reporting_system import publish, reporting
from tests.support.synthetic_runs import BEGIN, synthetic_run

FORMATS = pytest.mark.parametrize("form", list(ExportFormat))


def set_page(monkeypatch, rows):
    monkeypatch.setattr(clickhouse_pages, "PAGE", rows)
    monkeypatch.setattr(clickhouse_pages, "XLSX_PAGE", rows)


def calls_of(*runs):
    """The earliest first."""
    return expected_calls([event for run in runs for sent in run.messages for event in sent.events])[::-1]


@FORMATS
async def test_an_export_has_every_call_in_the_order_of_time(bus, clickhouse_dsn, form, monkeypatch):
    set_page(monkeypatch, 7)
    runs = [synthetic_run(seed, subscribers=8, lost_ends=True) for seed in (1, 2)]
    async with reporting(bus, clickhouse_dsn) as reports:
        for run in runs:
            await publish(bus, run.messages)
        assert read_export(await reports.export(form), form) == calls_of(*runs)


@FORMATS
async def test_an_export_has_the_matching_calls_of_the_actor(bus, clickhouse_dsn, form, monkeypatch):
    set_page(monkeypatch, 5)
    own = synthetic_run(3, subscribers=8)
    other = synthetic_run(4, subscribers=8, user_id="somebody", begin=BEGIN + timedelta(hours=1))
    async with reporting(bus, clickhouse_dsn) as reports:
        for run in (own, other):
            await publish(bus, run.messages)

        async def exported(**rest):
            return read_export(await reports.export(form, **rest), form)

        calls = calls_of(own)
        assert await exported() == calls
        assert await exported(run_id=other.run_id) == []
        admin = Actor(user_id="boss", admin=True)
        assert await exported(actor=admin) == calls_of(own, other)
        middle = calls[len(calls) // 2]
        assert await exported(since=middle.started_at, outcome=CallOutcome.FAILED) == [
            call
            for call in calls
            if call.started_at >= middle.started_at and call.outcome is CallOutcome.FAILED
        ]
        assert await exported(number=middle.number) == [
            call for call in calls if call.number == middle.number
        ]
        assert await exported(until=middle.started_at, actor=admin) == [
            call for call in calls if call.started_at < middle.started_at
        ]


@FORMATS
async def test_an_export_without_calls_is_a_valid_file(bus, clickhouse_dsn, form):
    async with reporting(bus, clickhouse_dsn) as reports:
        content = await reports.export(form)
        assert read_export(content, form) == []
        assert bool(content) is (form is not ExportFormat.JSONL)


@FORMATS
async def test_a_piece_requested_twice_does_not_change_the_file(bus, clickhouse_dsn, form, monkeypatch):
    set_page(monkeypatch, 10)
    monkeypatch.setattr("cato_reporting.queries.exports.open_exports._PIECE", 1_000)
    run = synthetic_run(5, subscribers=15)
    async with reporting(bus, clickhouse_dsn) as reports:
        await publish(bus, run.messages)
        export_id = await reports.begin_export(form)
        content = b""
        place = 0
        while True:
            piece = await reports.piece(export_id, place)
            assert await reports.piece(export_id, place) == piece
            content += piece.data
            if piece.last:
                break
            place += 1
        assert place > 3
        assert read_export(content, form) == calls_of(run)


async def test_a_restart_of_the_service_ends_its_exports(bus, clickhouse_dsn):
    async with reporting(bus, clickhouse_dsn) as reports:
        export_id = await reports.begin_export(ExportFormat.CSV)
    async with reporting(bus, clickhouse_dsn) as reports:
        with pytest.raises(NotFoundError):
            await reports.piece(export_id, 0)
