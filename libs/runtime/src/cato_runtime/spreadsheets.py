"""Tables for spreadsheet programs: XLSX files, and text in CSV that cannot become a formula.

A spreadsheet program takes a cell of CSV for a formula by its first character (OWASP,
CSV injection). Such text gets an apostrophe in front, the sign for text. Cells of an XLSX file have a type,
so the text is unchanged there; it is marked as text, which holds also when a person edits the cell.
"""

import tempfile
from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo
from typing import Any

FORMULA_SIGNS = "=+-@\t\r\n＝＋－＠"
"""The characters that begin a formula; Excel takes the wide forms, too."""

SHOWN_DIGITS = 11
"""The digits of a number that Excel shows in a column of usual width."""

MAX_ROWS = 1_048_576
"""The rows of a sheet in Excel, the header included."""

_SIGNS = tuple(FORMULA_SIGNS)
_TIMES = "yyyy-mm-dd hh:mm:ss"
_WIDTH = 18


def harmless(text: str) -> str:
    """Return text for a cell of CSV that no program takes for a formula."""
    return f"'{text}" if text.startswith(_SIGNS) else text


def number_text(number: str) -> str:
    """Return a telephone number for a cell of CSV that Excel does not change.

    It would drop a `+` or a leading zero, and show more than 11 digits as a power of ten.
    """
    return f"'{number}" if number.startswith(("+", "0")) or len(number) > SHOWN_DIGITS else number


class XlsxFile:
    """An XLSX file that is written row by row; its rows wait on the disk, not in memory.

    Text stays text, numbers and truth values are typed, times are local times of `zone`, None is an empty
    cell, and a list is joined with `;`. Rows beyond the size of a sheet continue on another one. After
    `finish` the file is read in pieces. `close` removes it from the disk.
    """

    def __init__(self, sheet: str, columns: Sequence[str], zone: tzinfo) -> None:
        # Imported for the first file only.
        from xlsxwriter import Workbook  # noqa: PLC0415

        self._sheet_name = sheet
        self._columns = columns
        self._zone = zone
        self._directory = tempfile.TemporaryDirectory(prefix="cato-xlsx-")
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        self._book = Workbook(self._file, {"constant_memory": True, "tmpdir": self._directory.name})
        self._text = self._book.add_format({"quote_prefix": True})
        self._bold = self._book.add_format({"bold": True})
        self._times = self._book.add_format({"num_format": _TIMES})
        self._sheets = 0
        self._begin_sheet()

    def add(self, rows: Iterable[Sequence[Any]]) -> None:
        """Write rows, each with a value for every column."""
        for row in rows:
            if self._next == MAX_ROWS:
                self._begin_sheet()
            for column, value in enumerate(row):
                self._write(column, value)
            self._next += 1

    def finish(self) -> None:
        """Put the file together."""
        self._book.close()
        self._file.seek(0)

    def read(self, size: int) -> bytes:
        """Return the next bytes of the finished file, none at its end."""
        return self._file.read(size)

    def close(self) -> None:
        """Remove the file, finished or not."""
        for sheet in self._book.worksheets():
            rows = getattr(sheet, "row_data_fh", None)
            if rows is not None:
                rows.close()
        self._file.close()
        self._directory.cleanup()

    def _begin_sheet(self) -> None:
        self._sheets += 1
        name = self._sheet_name if self._sheets == 1 else f"{self._sheet_name} {self._sheets}"
        self._sheet = self._book.add_worksheet(name)
        self._sheet.freeze_panes(1, 0)
        self._sheet.set_column(0, len(self._columns) - 1, _WIDTH)
        for column, title in enumerate(self._columns):
            self._sheet.write_string(0, column, title, self._bold)
        self._next = 1

    def _write(self, column: int, value: Any) -> None:
        sheet, row = self._sheet, self._next
        match value:
            case None:
                return
            case bool():
                sheet.write_boolean(row, column, value)
            case int() | float():
                sheet.write_number(row, column, value)
            case datetime():
                local = value.astimezone(self._zone).replace(tzinfo=None)
                sheet.write_datetime(row, column, local, self._times)
            case list() | tuple():
                self._write_text(column, ";".join(map(str, value)))
            case _:
                self._write_text(column, str(value))

    def _write_text(self, column: int, text: str) -> None:
        style = self._text if text.startswith(_SIGNS) else None
        self._sheet.write_string(self._next, column, text, style)
