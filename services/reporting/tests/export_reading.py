"""Reads exported files."""

import csv
import io
import json

import pyarrow.parquet as pq

from cato_contracts.api.history import CallRecord, ExportFormat

_NUMBERS = {"wave", "sipCode", "pddMs", "talkMs", "heardMs"}
_TRUTHS = {"success", "delayed"}
COLUMNS = [field.alias or name for name, field in CallRecord.model_fields.items()]


def read_export(content, form):
    """The calls of a file, each with every field."""
    rows = {
        ExportFormat.CSV: _csv_rows,
        ExportFormat.JSONL: _json_rows,
        ExportFormat.PARQUET: _parquet_rows,
    }[form](content)
    assert all(list(row) == COLUMNS for row in rows)
    return [CallRecord.model_validate(row) for row in rows]


def _csv_rows(content):
    reader = csv.DictReader(io.StringIO(content.decode(), newline=""))
    rows = list(reader)
    assert reader.fieldnames == COLUMNS
    return [{name: _csv_value(name, text) for name, text in row.items()} for row in rows]


def _csv_value(name, text):
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
