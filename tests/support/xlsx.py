"""Reads XLSX files as a spreadsheet program would, without its leniency."""

import io
import re
from typing import Any
from xml.etree import ElementTree as ET
from zipfile import ZipFile

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def read_sheet(content: bytes, number: int = 1) -> list[list[Any]]:
    """The rows of a sheet: text, numbers, truth values, None. Formulas are refused."""
    sheet = ET.fromstring(ZipFile(io.BytesIO(content)).read(f"xl/worksheets/sheet{number}.xml"))
    rows = []
    for row in sheet.iter(f"{_MAIN}row"):
        cells = {_place(cell.get("r")): _cell(cell) for cell in row}
        rows.append(cells)
    width = max(max(cells) for cells in rows) + 1
    return [[cells.get(place) for place in range(width)] for cells in rows]


def _place(reference: str) -> int:
    place = 0
    for letter in re.match("[A-Z]+", reference)[0]:
        place = place * 26 + ord(letter) - ord("A") + 1
    return place - 1


def _cell(cell: Any) -> Any:
    assert cell.find(f"{_MAIN}f") is None
    if cell.get("t") == "inlineStr":
        return "".join(text.text or "" for text in cell.iter(f"{_MAIN}t"))
    number = cell.find(f"{_MAIN}v").text
    if cell.get("t") == "b":
        return number == "1"
    return float(number) if "." in number else int(number)
