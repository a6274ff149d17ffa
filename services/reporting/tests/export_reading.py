"""Reads exported files."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pyarrow.parquet as pq

from cato_contracts.api.exports import ExportFormat
from cato_contracts.api.history import CallRecord
from tests.support.xlsx import read_sheet

ZONE = ZoneInfo("Europe/Moscow")
_NUMBERS = {"wave", "sipCode", "pddMs", "talkMs", "heardMs"}
_TRUTHS = {"success", "delayed"}
_TIMES = {"startedAt", "ringingAt", "answeredAt", "endedAt"}
COLUMNS = [field.alias or name for name, field in CallRecord.model_fields.items()]


def read_export(content, form):
    """The calls of a file, each with every field."""
    rows = {
        ExportFormat.CSV: _csv_rows,
        ExportFormat.JSONL: _json_rows,
        ExportFormat.PARQUET: _parquet_rows,
        ExportFormat.XLSX: _xlsx_rows,
    }[form](content)
    assert all(list(row) == COLUMNS for row in rows)
    return [CallRecord.model_validate(row) for row in rows]


def read_excel_csv(content):
    """The rows of a CSV file in Excel's dialect, as text."""
    assert content.startswith(b"\xef\xbb\xbf")
    assert b"\r\n" in content
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=";"))


def _csv_rows(content):
    reader = csv.DictReader(io.StringIO(content.decode(), newline=""))
    rows = list(reader)
    assert reader.fieldnames == COLUMNS
    return [{name: _csv_value(name, text) for name, text in row.items()} for row in rows]


def _csv_value(name, text):
    if name == "sharedWith":
        return text.split(";") if text else []
    if text == "" and name != "digits":
        return None
    if name in _TRUTHS:
        return {"true": True, "false": False}[text]
    return int(text) if name in _NUMBERS else text


def _json_rows(content):
    rows = [json.loads(line) for line in content.splitlines()]
    for row in rows:
        assert row["startedAt"].endswith("Z")
    return rows


def _parquet_rows(content):
    table = pq.read_table(io.BytesIO(content))
    assert table.column_names == COLUMNS
    return table.to_pylist()


def _xlsx_rows(content):
    header, *rows = read_sheet(content)
    assert header == COLUMNS
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
    for row in rows:
        row["digits"] = row["digits"] or ""
        row["sharedWith"] = _csv_value("sharedWith", row["sharedWith"])
        for name in _TIMES:
            row[name] = _instant(row[name])
    return rows


def _instant(serial):
    """The instant of Excel's days since 1899-12-30, which are local."""
    if serial is None:
        return None
    at = datetime(1899, 12, 30) + timedelta(milliseconds=round(serial * 86_400_000))
    return at.replace(tzinfo=ZONE).astimezone(UTC)
