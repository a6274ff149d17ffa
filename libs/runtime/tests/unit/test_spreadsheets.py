"""Cells of spreadsheets: text that is no formula, and files of many rows."""

from datetime import UTC, datetime
from pathlib import Path
from zipfile import ZipFile
from zoneinfo import ZoneInfo

import pytest

from cato_runtime import spreadsheets
from cato_runtime.spreadsheets import XlsxFile, harmless, number_text
from tests.support.xlsx import read_sheet

ZONE = ZoneInfo("Europe/Moscow")


def content_of(file):
    file.finish()
    content = b"".join(iter(lambda: file.read(100), b""))
    file.close()
    return content


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@a", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠a"])
def test_r2_text_that_begins_like_a_formula_gets_an_apostrophe(text):
    assert harmless(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "a=1", " =1", "'=1", "Иван", "8", "*21#"])
def test_r2_other_text_is_unchanged(text):
    assert harmless(text) == text


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("+73437200041", "'+73437200041"),
        ("0123", "'0123"),
        ("834372000412", "'834372000412"),
        ("83437200041", "83437200041"),
        ("*21#", "*21#"),
        ("", ""),
    ],
)
def test_r2_a_number_is_text_where_excel_would_change_it(number, shown):
    assert number_text(number) == shown


def test_r2_cells_keep_their_types_and_text_is_no_formula():
    file = XlsxFile("Calls", ["a", "b", "c", "d", "e", "f"], ZONE)
    at = datetime(2024, 3, 24, 7, 45, tzinfo=UTC)
    file.add(
        [["=cmd|' /C calc'!A0", "+7343", 5, True, at, ["1", "2"]], ["http://a.b", None, 1.5, False, None, []]]
    )
    header, first, second = read_sheet(content_of(file))
    assert header == ["a", "b", "c", "d", "e", "f"]
    local = (datetime(2024, 3, 24, 10, 45) - datetime(1899, 12, 30)).total_seconds() / 86_400
    assert first[:4] == ["=cmd|' /C calc'!A0", "+7343", 5, True]
    assert first[4] == pytest.approx(local, abs=1e-9)
    assert first[5] == "1;2"
    assert second == ["http://a.b", None, 1.5, False, None, ""]


def test_rows_beyond_a_sheet_continue_on_the_next_one(monkeypatch):
    monkeypatch.setattr(spreadsheets, "MAX_ROWS", 4)
    file = XlsxFile("Calls", ["no"], ZONE)
    file.add([no] for no in range(7))
    content = content_of(file)
    assert [read_sheet(content, number) for number in (1, 2, 3)] == [
        [["no"], [0], [1], [2]],
        [["no"], [3], [4], [5]],
        [["no"], [6]],
    ]


def test_text_longer_than_a_cell_is_cut():
    file = XlsxFile("Calls", ["a"], ZONE)
    file.add([["x" * 40_000]])
    assert len(read_sheet(content_of(file))[1][0]) == 32_767


@pytest.mark.parametrize("finished", [True, False])
def test_a_closed_file_leaves_nothing_on_the_disk(finished, tmp_path: Path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    file = XlsxFile("Calls", ["a"], ZONE)
    file.add([["x"]])
    assert list(tmp_path.iterdir())
    if finished:
        file.finish()
    file.close()
    assert list(tmp_path.iterdir()) == []


def test_the_file_is_an_archive_without_links_and_macros():
    import io  # noqa: PLC0415

    file = XlsxFile("Calls", ["a"], ZONE)
    file.add([["https://cato.test"]])
    names = ZipFile(io.BytesIO(content_of(file))).namelist()
    assert not [name for name in names if ("rels" in name and "sheet" in name) or "vba" in name]
